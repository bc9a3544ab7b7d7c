"""How a serving kernel is: one value, replaced whole, read by every route."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.allowance import SPENT_REMEDY
from picsellia_jupyter.domain.deployments import DryRun, ServingState, Stage
from picsellia_jupyter.domain.errors import (
    NotServingError,
    PicselliaJupyterError,
    QuotaSpentError,
)
from picsellia_jupyter.wire import resources
from picsellia_jupyter.wire.predictions import Json

_SERVING = (ServingState.READY, ServingState.DEGRADED)


@dataclass(frozen=True, slots=True)
class Status:
    """A serving kernel at one moment."""

    state: ServingState = ServingState.STARTING
    stage: Stage | None = None
    """The last stage that began; None before the first."""
    detail: str = ""
    """What is being done, or why the state is what it is."""
    dry_run: DryRun | None = None
    """Set once the kernel is prepared and waits to be attached."""
    error: PicselliaJupyterError | None = None
    """What preparing failed with, or why the worker was given up."""
    paused: str = ""
    """Why the platform has it not predict; empty where it may."""
    comes_back: bool = False
    """Whether Jupyter starts its kernel anew once it has stopped."""

    def told(self) -> Status:
        """How it is to all who ask: paused, where it would serve and must not.

        One that comes back is starting: who asks for a prediction meanwhile waits for it.
        """
        if self.comes_back and self.state is ServingState.STOPPED:
            return dataclasses.replace(self, state=ServingState.STARTING)
        if not self.paused or self.state not in _SERVING:
            return self
        return dataclasses.replace(self, state=ServingState.PAUSED, detail=self.paused)

    def in_words(self) -> str:
        """The status on one line."""
        stage = f" ({self.stage.value})" if self.stage else ""
        return f"{self.state.value}{stage}{f': {self.detail}' if self.detail else ''}"

    def check_serving(self) -> None:
        """Refuse work while it does not serve.

        Raises:
            NotServingError: it does not; its state and why are told.
            QuotaSpentError: the platform has paused it.
        """
        self.check_paid()
        self.check_answering()

    def check_answering(self) -> None:
        """Refuse a login while it neither serves nor is paused, with a NotServingError."""
        if self.state not in (*_SERVING, ServingState.PAUSED):
            raise NotServingError(
                f"The serving kernel is {self.state.value}"
                f"{f': {self.detail}' if self.detail else ''}.",
                "Wait for it to be ready, or deploy the model again.",
            )

    def check_paid(self) -> None:
        """Refuse work while the platform has it paused, with a QuotaSpentError."""
        if self.state is ServingState.PAUSED:
            raise QuotaSpentError(self.paused, SPENT_REMEDY)

    def to_json(self) -> Json:
        """The part of `/control/status` that says how the kernel is."""
        return {
            "state": self.state.value,
            "stage": self.stage.value if self.stage else None,
            "detail": self.detail,
            "dry_run": dataclasses.asdict(self.dry_run) if self.dry_run else None,
            "error": resources.error_to_json(self.error) if self.error else None,
        }


class StatusBoard:
    """The present status; written and read by any thread."""

    def __init__(self, on_change: Callable[[Status], None]) -> None:
        self._status = self._told = Status()
        self._on_change = on_change
        self._lock = threading.Lock()

    @property
    def now(self) -> Status:
        """The status at this moment."""
        return self._told

    def pause(self, why: str) -> bool:
        """Take no work for this reason, or take it again where there is none; whether it is new."""
        with self._lock:
            is_new = self._status.paused != why
            self._replace({"paused": why})
            return is_new

    def set(self, **changes: Any) -> Status:
        """Replace fields of the status; a stopped kernel stays stopped."""
        with self._lock:
            if self._status.state is not ServingState.STOPPED:
                self._replace(changes)
            return self._status

    def add_detail(self, text: str) -> None:
        """Say more about the present status, whatever it is."""
        with self._lock:
            self._replace({"detail": "; ".join(filter(None, (self._status.detail, text)))})

    def _replace(self, changes: dict[str, Any]) -> None:
        self._status = dataclasses.replace(self._status, **changes)
        before, self._told = self._told, self._status.told()
        if before != self._told:
            self._on_change(self._told)
