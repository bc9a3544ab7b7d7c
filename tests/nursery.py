"""Starts local platforms without importing everything anew: a process that forks them.

As a program it reads JSON objects, one a line, and answers each with another. What a fresh start
would import takes 1.5 s of the processor and is no part of what most tests are about; those that
are about the program itself start it by `start_program(home)`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROGRAM = "picsellia_jupyter.localplatform"
"""An argument, which is how a platform's process is recognized."""


class Forked:
    """A process of a nursery, with what is used of `subprocess.Popen`."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._nursery = nursery

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nursery.ask({"ended": self.pid})["code"]
        return self.returncode

    def wait(self, timeout: float) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(PROGRAM, timeout)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that forks."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        root = str(Path(__file__).parents[1])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nursery", PROGRAM],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root,
        )  # fmt: skip

    def start(
        self,
        home: Path,
        *extra: str,
        hours: float = 0.0,
        environment: Mapping[str, str] | None = None,
    ) -> tuple[Forked, dict[str, str]]:
        """Fork a platform whose clock is so many hours ahead, and wait until it answers.

        Returns:
            Its process, and what it said: `host`, `token`, `organization`.
        """
        arguments = ["--home", str(home), "--port", "0", "--json", *extra]
        wanted = {"arguments": arguments, "hours": hours, "folder": str(Path.cwd())}
        told = self.ask({**wanted, "environment": {**(environment or os.environ)}})
        process = Forked(self, told["pid"])
        assert told["line"], f"the platform ended with {process.wait(15)}"
        return process, json.loads(told["line"])

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """Its answer to one of the questions of `main`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        number = next(self._numbers)
        self._process.stdin.write(json.dumps({**question, "number": number}) + "\n")
        self._process.stdin.flush()
        while True:
            line = self._process.stdout.readline()
            assert line, "the nursery ended"
            answer: dict[str, Any] = json.loads(line)
            # An interrupt or a time limit may have left the answer to an earlier question.
            if answer["number"] == number:
                return answer

    def stop(self) -> None:
        """End the forking process; its platforms are ended one by one before."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=30)


def main() -> None:
    """Fork a platform, or say whether one has ended, for each line."""
    import picsellia_jupyter.localplatform.app
    import picsellia_jupyter.localplatform.bootstrap
    import picsellia_jupyter.localplatform.server  # noqa: F401 - so that it is there after a fork

    codes: dict[int, int] = {}
    signal.signal(signal.SIGCHLD, lambda *_: _reap(codes))
    for line in iter(sys.stdin.readline, ""):
        question = json.loads(line)
        if "ended" in question:
            answer: dict[str, Any] = {"code": codes.get(question["ended"])}
        else:
            answer = _begun(question)
        print(json.dumps({**answer, "number": question["number"]}), flush=True)


def _reap(codes: dict[int, int]) -> None:
    """Note how those have ended that have; one that is killed is gone at once, as any other."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            codes[pid] = os.waitstatus_to_exitcode(status)


def _begun(question: dict[str, Any]) -> dict[str, Any]:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _become(question, writing)
    os.close(writing)
    with os.fdopen(reading) as said:
        return {"pid": pid, "line": said.readline()}


def _become(question: dict[str, Any], output: int) -> None:
    from picsellia_jupyter.localplatform.__main__ import main as serve

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.chdir(question["folder"])
    os.environ.clear()
    os.environ.update(question["environment"])
    real, ahead = time.time, question["hours"] * 3600.0
    if ahead:
        time.time = lambda: real() + ahead
    code = 1
    try:
        code = serve(question["arguments"])
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
