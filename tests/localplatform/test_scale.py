"""Large files and long lists, with the unmodified SDK in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from picsellia_jupyter.localplatform.store import Store
from picsellia_jupyter.localplatform.tables.datalakes import Data, Datalake

DRIVER = Path(__file__).with_name("scale_driver.py")
MOST_GROWTH_KIB = 64 * 1024
MANY = 10_000


@pytest.fixture(autouse=True)
def nothing_keeps_running(start_program):
    yield
    start_program.stop_all()


def driving(what, running, folder):
    return subprocess.Popen(
        [sys.executable, str(DRIVER), what, running.host, running.token, str(folder)],
        env={**os.environ, "PICSELLIA_SDK_CUSTOM_LOGGING": "1", "OMP_NUM_THREADS": "1"},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def memory_kib(pid, field):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def forget_peak(pid):
    """Have the kernel begin a new peak of resident memory."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("form", ["azure", "google", "minio"])
def test_a_large_file_comes_back_bit_by_bit_and_never_lies_in_memory(start_program, tmp_path, form):
    running = start_program(tmp_path / "home", "--storage-form", form)
    sdk = driving("files", running, tmp_path)
    for expected in ("small", "middle", "large"):
        assert sdk.stdout.readline().strip() == expected
        forget_peak(running.process.pid)
        before = memory_kib(running.process.pid, "VmRSS")
        sdk.stdin.write("go\n")
        sdk.stdin.flush()
    said, _ = sdk.communicate(timeout=240)
    growth = memory_kib(running.process.pid, "VmHWM") - before
    print(f"{form}: the platform grew by {growth / 1024:.1f} MiB")
    assert json.loads(said) == {"small": True, "middle": True, "large": True}
    assert growth < MOST_GROWTH_KIB


def test_ten_thousand_data_are_listed_without_loss(start_program, tmp_path):
    start_program(tmp_path).stop()
    store = Store(f"sqlite:///{tmp_path / 'platform.sqlite3'}")
    with store.writing() as session:
        lake = session.query(Datalake).one().id
        session.add_all(
            Data(
                datalake_id=lake, object_name=f"data/{n:032x}.png", filename=f"{n * 7919 % MANY}",
                type="IMAGE", content_type="image/png", width=1, height=1,
                # Many at the same instant: pages must not break there.
                created_at=1000.0 + n // 700,
            )
            for n in range(MANY)
        )  # fmt: skip
    store.close()
    sdk = driving("data", start_program(tmp_path), tmp_path)
    said, _ = sdk.communicate(timeout=240)
    assert json.loads(said) == {
        "plain": MANY, "distinct": MANY, "ordered": MANY, "in order": True,
    }  # fmt: skip
