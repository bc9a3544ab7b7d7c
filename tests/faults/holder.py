"""Processes that hold an outbox: one that forks them, and what they do.

As a program it reads one JSON job a line and forks a holder for each, which keeps predictions as
fast as it can and says so, a line each: `+ID` it is about to, `=ID WHEN` it is durable, `-ID WHEN`
the platform has it. WHEN is how long the shim's journal was then.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import types
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POISON = "poison-"
"""In the name of what a platform is to refuse."""


@dataclass
class Said:
    """What holders have said."""

    begun: dict[str, int] = field(default_factory=dict)
    """The number of the line that said so."""
    kept: dict[str, int] = field(default_factory=dict)
    recorded: dict[str, int] = field(default_factory=dict)
    kept_in: dict[str, int] = field(default_factory=dict)
    """The number of the line that said so."""
    lines: int = 0

    def take(self, line: str) -> None:
        self.lines += 1
        mine, _, moment = line[1:].partition(" ")
        if line[0] == "+":
            self.begun[mine] = self.lines
        else:
            {"=": self.kept, "-": self.recorded}[line[0]][mine] = int(moment)
            if line[0] == "=":
                self.kept_in[mine] = self.lines

    @property
    def unanswered(self) -> int:
        """How many may be kept without having been said to be."""
        return len(self.begun) - len(self.kept)

    def overtaken(self, stored: list[str]) -> list[str]:
        """Those that were kept before another one was begun, and are stored after it."""
        found, latest = [], 0
        for mine in stored:
            if mine not in self.begun:
                continue
            if self.kept_in.get(mine, self.lines) < latest:
                found.append(mine)
            latest = max(latest, self.begun[mine])
        return found


class Holders:
    """The process that forks; one holder at a time."""

    def __init__(self, **environment: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        )  # fmt: skip
        self.said = Said()
        self._pid = 0
        self._ended = True

    def start(self, **job: Any) -> None:
        """Fork one; what it says is noted from now on."""
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        self._pid = int(self._process.stdout.readline())
        self._ended = False

    def listen(self, until: Callable[[], bool]) -> None:
        """Note what it says until something is so, or it has ended."""
        while not until() and not self._ended:
            line = self._process.stdout.readline().rstrip()
            assert line, "it ended"
            if line == ".":
                self._ended = True
            else:
                self.said.take(line)

    def kill(self) -> None:
        """End it as the system would; what it had said before is noted."""
        os.kill(self._pid, signal.SIGKILL)
        self.listen(lambda: False)

    def stop(self) -> None:
        """End the forking process, and a holder that a failed test has left."""
        if not self._ended:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


def main() -> None:
    from picsellia_jupyter.clients import kernel, sdk  # noqa: F401 - there after a fork
    from picsellia_jupyter.recording import recorder  # noqa: F401

    os.environ["PICSELLIA_SDK_CUSTOM_LOGGING"] = "1"
    import picsellia  # noqa: F401

    for line in iter(sys.stdin.readline, ""):
        pid = os.fork()
        if pid == 0:
            try:
                hold(**json.loads(line))
            finally:
                os._exit(1)
        os.waitpid(pid, 0)
        say(".")  # whatever it said is in the pipe before this


def say(text: str) -> None:
    os.write(1, f"{text}\n".encode())


def hold(  # noqa: PLR0913, PLR0917 - one word of a job each
    folder: str, host: str = "", token: str = "", organization: str = "", deployment: str = "d",
    stop: str = "", pause_s: float = 0.0, threads: int = 8, synchronous: str = "FULL",
    journal: str = "", poison_every: int = 0,
) -> None:  # fmt: skip
    """Keep predictions until a file is there, then wait until all are recorded, and end.

    With `poison_every`, one in so many has `POISON` in the name of its image.
    """
    from picsellia_jupyter.recording import recorder as recording
    from picsellia_jupyter.recording import spool
    from picsellia_jupyter.recording.recorder import Recorder

    say(str(os.getpid()))
    spool.SYNCHRONOUS = synchronous
    recording._BACKOFF_S = (0.02, 0.1)
    _hurry_the_sdk()
    moment = (lambda: Path(journal).stat().st_size) if journal else (lambda: 0)
    connect = _platform(host, token, organization) if host else _StandIn
    recorder = Recorder(
        connect, deployment, Path(folder),
        lambda record, _: say(f"-{record.predicted.prediction_id} {moment()}"),
    )  # fmt: skip
    keep_on = lambda: not (stop and Path(stop).exists())  # noqa: E731
    keepers = [
        threading.Thread(target=_keep, args=(recorder, keep_on, moment, pause_s, poison_every))
        for _ in range(threads)
    ]
    for keeper in keepers:
        keeper.start()
    for keeper in keepers:
        keeper.join()
    while recorder.flush(30):
        pass
    recorder.drain()
    outcome = recorder.close()
    assert outcome.kept == 0, outcome
    assert bool(outcome.failed) <= bool(poison_every), outcome
    os._exit(0)


def _hurry_the_sdk() -> None:
    """What it waits for between tries, 7.5 s in all, is no part of these tests."""
    from picsellia import decorators

    decorators.time = types.SimpleNamespace(sleep=lambda wait_s: time.sleep(wait_s / 50))


def _platform(host: str, token: str, organization: str) -> Callable[[], Any]:
    from picsellia_jupyter.clients.kernel import KernelClient

    return lambda: KernelClient.connect(host, token, organization_id=organization)


class _StandIn:
    """A platform that takes one in three at once, and the others a little later."""

    def monitor(self, _deployment: str, record: Any, **_: Any) -> str:
        mine = record.predicted.prediction_id
        time.sleep(0.002 if hash(mine) % 3 else 0.02)
        return mine


def _keep(
    recorder: Any, keep_on: Callable[[], bool], moment: Callable[[], int], pause_s: float,
    poison_every: int,
) -> None:  # fmt: skip
    import numpy as np

    from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
    from picsellia_jupyter.recording.records import Record
    from tests.faults.monitoring import PNG

    nothing = Detections(np.zeros(0, int), np.zeros(0, np.float32), np.zeros((0, 4), np.float32))
    for number in itertools.count(1):
        if not keep_on():
            return
        mine = str(uuid.uuid4())
        name = f"{POISON}{mine}" if poison_every and number % poison_every == 0 else mine
        place = recorder.reserve(len(PNG))
        place.granted.result(60)
        predicted = PredictedImage(f"{name}.png", ImageSize(1, 1), nothing, 0.01, mine)
        say(f"+{mine}")
        recorder.keep(Record(predicted, PNG, "image/png", time.time()), place).result(60)
        say(f"={mine} {moment()}")
        time.sleep(pause_s)


if __name__ == "__main__":
    main()
