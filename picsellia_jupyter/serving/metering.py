"""What the workers have done, in numbers."""

from __future__ import annotations

import collections
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from picsellia_jupyter.serving.calls import Call
from picsellia_jupyter.serving.messages import WorkerReply


@dataclass(frozen=True, slots=True)
class Numbers:
    """A pool of workers at one moment; what is counted is counted since it started."""

    workers: int
    """How many there are to be."""
    ready: int
    """How many serve."""
    queued: int
    """Calls that no worker has yet."""
    in_flight: int
    """Calls that a worker has."""
    answered: int = 0
    failed: int = 0
    """Answered with an error, whoever is to blame."""
    refused: int = 0
    """Not taken in, because too many waited."""
    late: int = 0
    """Failed because their deadline had passed."""
    cancelled: int = 0
    """Given up by those who asked, before a worker had them."""
    restarts: int = 0
    """Workers that were started in place of one that died."""
    queue_s: float = 0.0
    """Seconds that the answered ones waited, for a worker and in it."""
    run_s: float = 0.0
    """Seconds of the model, those of a batch shared by its images."""
    batches: Mapping[int, int] = field(default_factory=dict)
    """How many images were predicted on in batches of each size."""


class Meter:
    """Counts. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: collections.Counter[str] = collections.Counter()
        self._queue_s = self._run_s = 0.0
        self._batches: collections.Counter[int] = collections.Counter()

    def count(self, what: str, by: int = 1) -> None:
        """Count one of the fields of `Numbers`."""
        with self._lock:
            self._counts[what] += by

    def answered(self, call: Call, reply: object) -> None:
        """A call was answered; an image's reply tells how long its parts took."""
        with self._lock:
            self._counts["answered"] += 1
            if isinstance(reply, WorkerReply):
                timing = reply.timing
                in_worker = max(0.0, timing.total_s - reply.latency_s)
                self._queue_s += call.waited_s + in_worker
                self._run_s += timing.run_s / timing.batch
                self._batches[timing.batch] += 1

    def numbers(self, *, workers: int, ready: int, queued: int, in_flight: int) -> Numbers:
        """All of them."""
        with self._lock:
            return Numbers(
                workers,
                ready,
                queued,
                in_flight,
                **self._counts,
                queue_s=self._queue_s,
                run_s=self._run_s,
                batches=dict(self._batches),
            )
