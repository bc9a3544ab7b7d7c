"""Local platforms in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.nursery import Forked, Nursery


@dataclass
class RunningPlatform:
    """A local platform in a process of its own."""

    host: str
    token: str
    organization: str
    home: Path
    process: subprocess.Popen[str] | Forked

    def stop(self) -> int:
        """End it cleanly; its exit code."""
        self.process.terminate()
        return self.process.wait(timeout=15)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(timeout=15)


def start_fresh(
    home: Path,
    *extra: str,
    program: Sequence[str] = ("-m", "picsellia_jupyter.localplatform"),
    environment: Mapping[str, str] | None = None,
    log: IO[bytes] | None = None,
) -> RunningPlatform:
    """Start the program as a user would, or another in its place, and wait until it answers."""
    command = [sys.executable, *program, "--home", str(home), "--port", "0", "--json", *extra]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"the platform ended with {process.wait(timeout=15)}"
    return _running(json.loads(line), home, process)


def fork(nursery: Nursery, home: Path, *extra: str, hours: float = 0.0) -> RunningPlatform:
    """Fork a platform whose clock is so many hours ahead, and wait until it answers."""
    process, said = nursery.start(home, *extra, hours=hours)
    return _running(said, home, process)


def _running(
    said: Mapping[str, str], home: Path, process: subprocess.Popen[str] | Forked
) -> RunningPlatform:
    return RunningPlatform(said["host"], said["token"], said["organization"], home, process)


class Starter:
    """Starts local platforms and ends those that still run."""

    def __init__(self, nursery: Nursery | None = None) -> None:
        """Fork them in a nursery, or start each as a program."""
        self._nursery = nursery
        self._started: list[RunningPlatform] = []

    def __call__(self, home: Path, *extra: str) -> RunningPlatform:
        """Start one in a data directory."""
        if self._nursery is None:
            return self.keep(start_fresh(home, *extra))
        return self.keep(fork(self._nursery, home, *extra))

    def keep(self, running: RunningPlatform) -> RunningPlatform:
        """End this one, too."""
        self._started.append(running)
        return running

    def stop_all(self) -> None:
        """End all, together."""
        running = [one for one in self._started if one.process.poll() is None]
        for one in running:
            one.process.terminate()
        for one in running:
            one.process.wait(timeout=15)
        self._started.clear()
