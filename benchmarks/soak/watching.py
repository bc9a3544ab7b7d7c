"""Processes and files, looked at again and again."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil

from benchmarks.soak.load import Soaked
from picsellia_jupyter.launch import local_platform

WARM_UP = 0.25
"""Share of a process's life that is left out: caches fill, arenas grow."""
LEAST = 12
"""Samples of a process below which nothing is said of it."""
SETTLED_S = 240.0
"""What lives less has not opened all that it will."""
_WORKER = "picsellia_jupyter.serving.worker"


@dataclass(frozen=True, slots=True)
class Sample:
    """One process at one time."""

    at: float
    memory: int
    """Bytes that it alone has (USS)."""
    files: int
    """Open file descriptors."""


@dataclass(frozen=True, slots=True)
class Disk:
    """Files at one time."""

    at: float
    predictions: int
    database: int
    """Bytes of the platform's database with its log."""
    spool: int
    """Bytes of all spools."""


@dataclass
class Watch:
    """What was seen: samples of each process by what it is and its id."""

    seen: dict[tuple[str, int], list[Sample]] = field(default_factory=dict)
    disks: list[Disk] = field(default_factory=list)

    def look(self, here: Soaked) -> None:
        """Look at everything once."""
        now = time.monotonic()
        for role, process in _processes(here):
            with contextlib.suppress(psutil.Error):
                memory, files = process.memory_full_info().uss, process.num_fds()
                self.seen.setdefault((role, process.pid), []).append(Sample(now, memory, files))
        database = sum(_size(path) for path in here.home.glob("platform.sqlite3*"))
        spools = [*here.home.rglob("spool/*/*"), *here.served.rglob("spool/*/*")]
        self.disks.append(Disk(now, here.recorded(), database, sum(map(_size, spools))))

    def roles(self) -> Mapping[str, list[list[Sample]]]:
        """The warm part of each process's life that was seen long enough, by what it is."""
        found: dict[str, list[list[Sample]]] = {}
        for (role, _), samples in self.seen.items():
            warm = samples[int(len(samples) * WARM_UP) :]
            if len(warm) >= LEAST:
                found.setdefault(role, []).append(warm)
        return found


def slope(lives: Sequence[Sequence[Sample]]) -> float:
    """Growth of memory in MiB an hour: the median over lives of the median over pairs."""
    return statistics.median(
        theil_sen(
            np.array([one.at for one in life]) / 3600,
            np.array([one.memory for one in life]) / 2**20,
        )
        for life in lives
    )


def theil_sen(x: np.typing.NDArray[np.float64], y: np.typing.NDArray[np.float64]) -> float:
    """The median slope between all pairs of points; a burst at either end does not move it."""
    first, second = np.triu_indices(len(x), 1)
    return float(np.median((y[second] - y[first]) / (x[second] - x[first])))


def files_grown(lives: Sequence[Sequence[Sample]]) -> int:
    """How many more descriptors a long life has at its end than at its warm beginning, at most."""
    long = [life for life in lives if life[-1].at - life[0].at >= SETTLED_S]
    half = LEAST // 2
    return max((_typical(life[-half:]) - _typical(life[:half]) for life in long), default=0)


def _typical(samples: Sequence[Sample]) -> int:
    # Connections come and go: the least of some moments is what stays.
    return min(one.files for one in samples)


def _processes(here: Soaked) -> Iterator[tuple[str, psutil.Process]]:
    yield "notebook", psutil.Process(os.getpid())
    platform = local_platform.find(here.home)
    if platform is not None:
        yield "platform", psutil.Process(platform.pid)
    for number in range(len(here.clients)):
        with contextlib.suppress(RuntimeError, psutil.Error):
            kernel = psutil.Process(here.kernel_of(number)[1])
            yield f"kernel {number}", kernel
            for child in kernel.children():
                if _WORKER in " ".join(child.cmdline()):
                    yield f"worker of {number}", child
    with contextlib.suppress(psutil.Error, RuntimeError):
        parent = psutil.Process(here.kernel_of(0)[1]).parent()
        if parent is not None:
            yield "jupyter server", parent


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
