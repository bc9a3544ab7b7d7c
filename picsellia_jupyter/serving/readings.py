"""What there is to measure of a serving kernel, at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.serving.signature import LoadedModel


class Numbers(Protocol):
    """What the workers do and have done; what is counted is counted since they started."""

    @property
    def queued(self) -> int:
        """Calls that no worker has yet."""

    @property
    def in_flight(self) -> int:
        """Calls that a worker has."""

    @property
    def restarts(self) -> int:
        """Workers that were started in place of one that died."""

    @property
    def queue_s(self) -> float:
        """Seconds that the answered calls waited, for a worker and in it."""

    @property
    def run_s(self) -> float:
        """Seconds of the model, those of a batch shared by its images."""

    @property
    def batches(self) -> Mapping[int, int]:
        """How many images were predicted on in batches of each size."""


@dataclass(frozen=True, slots=True)
class Readings:
    """One moment of a serving kernel."""

    ready: bool
    version: ModelVersion | None = None
    model: LoadedModel | None = None
    workers: Numbers | None = None
    """None before the model is loaded."""
    worker_pids: tuple[int, ...] = ()
    recorded: int = 0
    """Predictions that the platform has recorded."""
    pending: int = 0
    """Predictions that wait to be recorded."""
    failed: int = 0
    """Predictions that the platform would not record."""
