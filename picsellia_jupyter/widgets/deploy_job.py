"""A deployment that is under way in a thread of its own, and can be stopped."""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from picsellia_jupyter.display.progress import noted
from picsellia_jupyter.domain.deployments import Check, Progress
from picsellia_jupyter.handles.threads import begin
from picsellia_jupyter.workflows.deploying import DeployRequest

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment
    from picsellia_jupyter.session import Session

REFRESH_S = 0.25
UNDO_S = 10.0
"""That a kernel which is shut down waits for what was begun to be undone."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a deployment is."""

    steps: tuple[Progress, ...]
    elapsed_s: float
    checks: tuple[Check, ...]
    """What its dry run found."""
    is_cancelled: bool


class DeployJob:
    """One deployment; whoever made it is told by callbacks, on threads of the job.

    Stopping is cooperative: the next step that is told raises `KeyboardInterrupt` in the thread
    that deploys, where the workflow takes it as any other and undoes what it made.
    """

    def __init__(
        self,
        session: Session,
        request: DeployRequest,
        *,
        on_progress: Callable[[Standing], None],
        on_end: Callable[[Deployment | None, Exception | None], None],
    ) -> None:
        """Begin nothing yet.

        Args:
            session: for the thread that deploys alone.
            request: what to deploy.
            on_progress: called a few times a second.
            on_end: called once: with the deployment, with why there is none, or with neither
                where it was stopped and undone.
        """
        self._session = session
        self._request = request
        self._on_progress = on_progress
        self._on_end = on_end
        self._steps: tuple[Progress, ...] = ()
        self._checks: tuple[Check, ...] = ()
        self._began = time.monotonic()
        self._cancelled = threading.Event()
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin."""
        atexit.register(self._end_with_us)
        begin(self._deploy, "picsellia-deploy")
        begin(self._tell, "picsellia-progress")

    def cancel(self) -> None:
        """Have it stop, and undo what it made; `on_end` tells when it has."""
        self._cancelled.set()

    def _deploy(self) -> None:
        made, error = None, None
        try:
            made = self._asked()
        except KeyboardInterrupt:
            pass
        except Exception as failure:  # noqa: BLE001 - shown in the form, whatever it is
            error = failure
        self._ended.set()
        atexit.unregister(self._end_with_us)
        self._on_end(made, error)

    def _asked(self) -> Deployment:
        asked = self._request
        return self._session.deploy(
            asked.model,
            strategy=asked.strategy,
            threshold=asked.threshold,
            datalake=asked.datalake,
            on=asked.place,
            name=asked.name,
            file=asked.model_file,
            device=asked.device,
            progress=self._note,
        )

    def _note(self, progress: Progress) -> None:
        self._steps = noted(self._steps, progress)
        self._checks = progress.checks or self._checks
        if self._cancelled.is_set():
            raise KeyboardInterrupt

    def _tell(self) -> None:
        while not self._ended.wait(REFRESH_S):
            elapsed_s = time.monotonic() - self._began
            standing = Standing(self._steps, elapsed_s, self._checks, self._cancelled.is_set())
            self._on_progress(standing)

    def _end_with_us(self) -> None:
        with contextlib.suppress(KeyboardInterrupt):
            self.cancel()
            self._ended.wait(UNDO_S)
