"""Programs that a runner starts, and ends with everything that they have started."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psutil

_GRACE_S = 3.0


class Program:
    """A module of ours in a process of its own, given JSON and giving JSON lines."""

    def __init__(
        self, module: str, words: Sequence[str], asked: Mapping[str, Any], environment: Any = None
    ) -> None:
        """Start it.

        Args:
            module: to be run.
            words: its arguments; nothing secret.
            asked: what it reads from its input; may be secret.
            environment: its environment; None leaves it this process's.
        """
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", module, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        if self._process.stdin is None:
            raise RuntimeError(module)
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(dict(asked)))
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def events(self) -> Iterator[dict[str, Any]]:
        """What it says, until it ends; lines that are no JSON are passed over."""
        for line in self._process.stdout or ():
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    yield event

    def wait(self) -> int:
        """Its exit status."""
        return self._process.wait()

    def kill(self) -> None:
        """End it, and everything that it has started; one that has ended is left alone."""
        if self._process.poll() is not None:
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            top = psutil.Process(self._process.pid)
            family = [*top.children(recursive=True), top]
            for one in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
            psutil.wait_procs(family, timeout=_GRACE_S)
