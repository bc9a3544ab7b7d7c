"""The log of a serving kernel: for its user alone, bounded, and there after a crash."""

import json
import logging
import os
import signal
from pathlib import Path

import pytest

from picsellia_jupyter.serving.logfile import MAX_BYTES, LogFile, open_for
from picsellia_jupyter.wire import resources
from tests.serving import fakes


@pytest.fixture
def log(tmp_path):
    log = LogFile(tmp_path / "logs" / "k.log")
    yield log
    log.close()


def test_only_its_user_can_read_it(tmp_path):
    path = tmp_path / "k.log"
    path.touch(mode=0o644)
    LogFile(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_it_is_bounded_and_keeps_the_last_lines_whole(log):
    for number in range(MAX_BYTES // 100):
        log.say("worker", f"{number} {'x' * 200}")
        assert log.path.stat().st_size <= MAX_BYTES
    lines = log.path.read_text().splitlines()
    assert f"worker: {number} x" in lines[-1]
    assert all(" worker: " in line for line in lines)


def test_a_long_line_is_cut(log):
    log.say("worker", "x" * 10_000)
    assert log.path.stat().st_size < 600


def test_it_takes_what_our_own_loggers_warn_of_until_it_is_closed(log):
    logger = logging.getLogger("picsellia_jupyter.serving.anything")
    logger.warning("twice\nold")
    log.close()
    log.close()
    logger.warning("late")
    lines = [line.partition(" kernel: ")[2] for line in log.path.read_text().splitlines()]
    assert lines == ["twice", "old"]


def test_a_kernel_id_cannot_lead_out_of_the_folder(tmp_path):
    job = resources.job_from_json(fakes.job(tmp_path / "cache", kernel_id="../../etc/x"))
    log = open_for(job)
    log.close()
    assert log.path == tmp_path / "logs" / "------etc-x.log"


def test_a_folder_that_cannot_be_written_costs_the_log_and_nothing_else(start, tmp_path):
    (tmp_path / "logs").write_text("not a folder")
    kernel = start()
    assert kernel.prepared()["log_file"] is None


def test_old_logs_are_removed(tmp_path):
    folder = tmp_path / "logs"
    folder.mkdir()
    for age in range(120):
        path = folder / f"{age}.log"
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    open_for(resources.job_from_json(fakes.job(tmp_path / "cache"))).close()
    left = {path.name for path in folder.iterdir()}
    assert len(left) == 100
    assert {"k.log", "0.log"} <= left
    assert "119.log" not in left


def test_it_tells_how_the_kernel_got_on_and_what_its_worker_said(start, tmp_path):
    def broken(path):
        path.write_bytes(b"no model at all")
        return path

    kernel = start(broken)
    status = kernel.failed()
    assert status["log_file"] == str(tmp_path / "logs" / "k.log")
    text = Path(status["log_file"]).read_text()
    assert "kernel: loading (download): asking for the model's files" in text
    assert "kernel: unhealthy" in text
    assert "canary" not in text


def test_the_workers_lines_are_in_it(own):
    os.kill(own.service.worker_pid, signal.SIGABRT)
    log = own.program._log.path
    fakes.wait_for(lambda: " worker: Fatal Python error: Aborted" in log.read_text())


def test_a_crash_of_the_kernel_leaves_its_stacks(host):
    process = host()
    told = json.loads(process.stdout.readline())
    os.kill(process.pid, signal.SIGSEGV)
    process.wait(10)
    text = Path(told["log_file"]).read_text()
    assert "kernel: ready" in text
    assert "Fatal Python error: Segmentation fault" in text
    fakes.wait_for(lambda: all(map(fakes.is_gone, told["workers"])))
