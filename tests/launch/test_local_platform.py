"""Finding and starting the real local platform."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from picsellia_jupyter.domain.errors import MissingExtraError, PlatformError
from picsellia_jupyter.launch import local_platform


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "a home with spaces"
    yield folder
    local_platform.stop(folder)


def test_it_is_started_once_and_then_found(home: Path):
    assert local_platform.find(home) is None

    first = local_platform.find_or_start(home)

    assert local_platform.find_or_start(home) == local_platform.find(home) == first
    assert first.host.startswith("http://127.0.0.1:")


def test_two_that_start_at_once_share_one(home: Path):
    program = (
        "import sys; from pathlib import Path; from picsellia_jupyter.launch import local_platform;"
        "print(local_platform.start(Path(sys.argv[1])).pid)"
    )
    starters = [
        subprocess.Popen([sys.executable, "-c", program, str(home)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]

    pids = {starter.communicate(timeout=60)[0].strip() for starter in starters}

    assert len(pids) == 1
    assert pids != {b""}


def test_it_survives_the_interrupt_of_whoever_started_it(home: Path):
    running = local_platform.start(home)

    assert os.getpgid(running.pid) != os.getpgid(0)


def test_what_it_wrote_is_for_its_user_alone(home: Path):
    local_platform.start(home)

    modes = {path.name: path.stat().st_mode & 0o077 for path in home.iterdir() if path.is_file()}

    assert set(modes.values()) == {0}, modes


def test_a_file_left_by_a_platform_that_was_killed_is_not_believed(home: Path):
    killed = local_platform.start(home)
    os.kill(killed.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(killed.pid)] if psutil.pid_exists(killed.pid) else [], 10)

    again = local_platform.find_or_start(home)

    assert again.pid != killed.pid
    assert again.token == killed.token


def test_another_server_at_the_old_address_is_not_mistaken_for_it(home: Path, tmp_path: Path):
    (tmp_path / "served").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    other = subprocess.Popen(command, cwd=tmp_path / "served", stderr=subprocess.DEVNULL)
    try:
        _wait_until_open(port)
        home.mkdir()
        said = {"host": f"http://127.0.0.1:{port}", "token": "t", "organization": "o", "pid": 1}
        (home / "platform.json").write_text(json.dumps(said))

        assert local_platform.find(home) is None
    finally:
        other.kill()
        other.wait()


def test_stopping_ends_it_and_its_answers(home: Path):
    running = local_platform.start(home)

    assert local_platform.stop(home)

    assert not local_platform.stop(home)
    with pytest.raises(httpx.TransportError):
        httpx.get(running.host, trust_env=False)


def test_a_port_that_is_taken_is_said_to_be(home: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(PlatformError, match=f"Port {port} is taken"):
            local_platform.start(home, port=port)

    assert local_platform.find(home) is None


def test_a_home_that_cannot_be_one_is_an_error_with_the_reason(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(PlatformError, match="data directory"):
        local_platform.start(tmp_path / "file")


def test_a_missing_extra_is_answered_with_its_pip_line(home: Path, monkeypatch: pytest.MonkeyPatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "sqlalchemy" else found(name)
    )

    with pytest.raises(MissingExtraError, match=r"pip install 'picsellia_jupyter\[platform\]'"):
        local_platform.start(home)


def _wait_until_open(port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return
