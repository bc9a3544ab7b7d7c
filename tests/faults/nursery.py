"""Starts local platforms without importing everything anew: a process that forks them.

As a program it reads one JSON list a line, of hours and arguments, and forks a platform for each,
whose clock is so many hours ahead and which prints where it answers. Each is killed in its turn;
what a fresh start would import is no part of what these tests are about.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Platform:
    """A forked platform that answers."""

    host: str
    token: str
    pid: int

    def kill(self) -> None:
        """End it as a power cut would."""
        os.kill(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.002)
        raise AssertionError(f"process {self.pid} does not end")


class Nursery:
    """The process that forks."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, home: Path, *extra: str, hours: float = 0.0) -> Platform:
        """Fork a platform and wait until it answers; its clock is so many hours ahead."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        arguments = ["--home", str(home), "--port", "0", "--json", *extra]
        self._process.stdin.write(json.dumps([hours, arguments]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the nursery ended"
        said = json.loads(line)
        pid = json.loads((home / "platform.json").read_text())["pid"]
        return Platform(said["host"], said["token"], pid)

    def stop(self) -> None:
        """End the forking process; its platforms are killed one by one before."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def main() -> None:
    """Fork a platform for each line."""
    import picsellia_jupyter.localplatform.app
    import picsellia_jupyter.localplatform.bootstrap
    import picsellia_jupyter.localplatform.server  # noqa: F401 - so that it is there after a fork
    from picsellia_jupyter.localplatform.__main__ import main as serve

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    for line in iter(sys.stdin.readline, ""):
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            hours, arguments = json.loads(line)
            _set_clock(hours)
            os._exit(serve(arguments))


def _set_clock(hours: float) -> None:
    real = time.time
    time.time = lambda: real() + hours * 3600.0


if __name__ == "__main__":
    main()
