"""A serving kernel's life: prepare a model, serve one deployment, stop."""

from __future__ import annotations

import dataclasses
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

from picsellia_jupyter.domain.deployments import (
    DryRun,
    Heartbeat,
    ServingJob,
    ServingKernel,
    ServingState,
    Stage,
)
from picsellia_jupyter.domain.errors import (
    ConflictError,
    NotFoundError,
    NotServingError,
    PicselliaJupyterError,
    ServingError,
)
from picsellia_jupyter.serving import download, predicting, trial
from picsellia_jupyter.serving.heart import FIRST_BEAT_S, Heart
from picsellia_jupyter.serving.logfile import LogFile
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.platform import Connect, Platform
from picsellia_jupyter.serving.recorder import Outcome, Recorder
from picsellia_jupyter.serving.status import Status, StatusBoard
from picsellia_jupyter.serving.supervisor import Supervisor
from picsellia_jupyter.serving.upload import Upload
from picsellia_jupyter.wire.predictions import Json

DRAIN_S = 5.0
"""Seconds that images at hand get at a stop."""
SUPERSEDED = "superseded by another serving kernel"
_SERVING = (ServingState.READY, ServingState.DEGRADED)

_log = logging.getLogger(__name__)


class Service:
    """Serves one model version for one deployment."""

    def __init__(
        self,
        job: ServingJob,
        address: str,
        connect: Connect,
        *,
        log: LogFile | None = None,
        on_gone: Callable[[], None] = lambda: None,
    ) -> None:
        """Make it; `prepare` comes next.

        Args:
            job: what to serve.
            address: of the front.
            connect: makes connections to the platform.
            log: takes what happens, and what workers print.
            on_gone: called once it has stopped because its deployment is not its own any more.
        """
        self.job = job
        self._kernel = ServingKernel(job.kernel_id, address, job.place, os.getpid())
        self._connect = connect
        self._log = log
        self._on_gone = on_gone
        self._board = StatusBoard(lambda status: self._say("kernel", status.in_words()))
        self._outcome: Outcome | None = None
        self._supervisor: Supervisor | None = None
        self._recorder: Recorder | None = None
        self._heart: Heart | None = None
        self._deployment_id: str | None = None
        self._attaching = threading.Lock()
        self._stopping = threading.Lock()

    @property
    def status(self) -> Status:
        """How it is now."""
        return self._board.now

    @property
    def deployment_id(self) -> str | None:
        """The deployment it is attached to."""
        return self._deployment_id

    @property
    def worker_pid(self) -> int | None:
        """Process id of the model worker, where one runs."""
        return self._supervisor.worker_pid if self._supervisor else None

    def report(self) -> Json:
        """The reply of `/control/status`."""
        status = self.status
        return {
            **status.to_json(),
            **self.backlog(),
            "detail": status.detail or self._hold_up,
            "log_tail": list(self._supervisor.log_tail) if self._supervisor else [],
            "log_file": str(self._log.path) if self._log else None,
            "stopped": dataclasses.asdict(self._outcome) if self._outcome else None,
        }

    def backlog(self) -> Json:
        """What is not recorded yet, what never will be, and why: the reply to a flush."""
        recorder = self._recorder
        return {
            "pending": recorder.pending if recorder else 0,
            "failed": recorder.failed if recorder else 0,
            "trouble": recorder.trouble if recorder else "",
        }

    # Preparing -----------------------------------------------------------------------------

    def prepare(self) -> None:
        """Download, load and try the model; its outcome is in the status."""
        try:
            dry_run = self._prepare(self._connect())
        except PicselliaJupyterError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - told in the status, where its owner looks
            self._fail(ServingError(f"Preparing failed: {type(error).__name__}: {error}"))
            _log.exception("Preparing failed")
        else:
            self._board.set(dry_run=dry_run, detail="ready to serve a deployment")

    def _prepare(self, platform: Platform) -> DryRun:
        self._begin(ServingState.LOADING, Stage.DOWNLOAD, "asking for the model's files")
        version = platform.model_version(self.job.model_version_id)
        files = download.fetch(
            platform,
            version,
            self.job.model_file,
            Path(self.job.cache_dir),
            on_download=lambda name: self._downloading(name, version.title),
        )
        self._begin(ServingState.LOADING, Stage.LOAD, f"{version.title} in a model worker")
        request = LoadRequest(
            files.model, files.manifest, version.type, len(version.labels),
            self.job.device, self.job.precision,
        )  # fmt: skip
        supervisor = self._supervisor = Supervisor(
            request, self._worker_changed, lambda line: self._say("worker", line)
        )
        model = supervisor.start()
        self._begin(ServingState.WARMING, Stage.DRY_RUN, "one made-up photo, twice")
        return trial.run(supervisor, model)

    def _downloading(self, name: str, title: str) -> None:
        self._board.set(detail=f"{name} of {title}")

    def _begin(self, state: ServingState, stage: Stage, detail: str) -> None:
        if self._board.set(state=state, stage=stage, detail=detail).state is ServingState.STOPPED:
            raise ServingError("Serving was stopped.")

    def _fail(self, error: PicselliaJupyterError) -> None:
        self._board.set(state=ServingState.UNHEALTHY, detail=str(error), error=error)
        if self._supervisor:
            self._supervisor.stop()

    # Serving -------------------------------------------------------------------------------

    def attach(self, deployment_id: str) -> None:
        """Serve this deployment from now on.

        Raises:
            NotServingError: the model is not prepared.
            ConflictError: it serves another deployment already.
            NotFoundError: the platform knows no such deployment.
            PlatformUnreachableError: the platform does not answer.
            ServingError: anything else went wrong; it is not attached then.
        """
        with self._attaching:
            if self._deployment_id == deployment_id:
                return
            self._check_attachable(deployment_id)
            try:
                self._attach(deployment_id)
            except PicselliaJupyterError:
                self._detach()
                raise
            except Exception as error:
                self._detach()
                raise ServingError(
                    f"Attaching failed: {type(error).__name__}: {error}", "Deploy the model again."
                ) from error

    def _attach(self, deployment_id: str) -> None:
        self._deployment_id = deployment_id
        self._recorder = Recorder(self._connect, deployment_id)
        # Before the first heartbeat, which has the platform send images here.
        self._board.set(state=ServingState.READY, stage=Stage.READY, detail="")
        self._heart = Heart(self._connect, deployment_id, self._describe, self._gone)
        self._heart.wait_for_first(FIRST_BEAT_S)

    def _check_attachable(self, deployment_id: str) -> None:
        if self._deployment_id is not None:
            raise ConflictError(
                f"This serving kernel serves deployment {self._deployment_id} already.",
                f"Start another one for {deployment_id}.",
            )
        if self.status.dry_run is None or self.status.state is not ServingState.WARMING:
            raise NotServingError(
                f"The serving kernel is {self.status.state.value}: {self.status.detail}.",
                "Wait until its dry run is done.",
            )

    def _detach(self) -> None:
        self._deployment_id = None
        self._board.set(state=ServingState.WARMING, stage=Stage.DRY_RUN)
        if self._heart:
            self._heart.stop(0.0)
        if self._recorder:
            self._recorder.close()
        self._heart = self._recorder = None

    def check_serves(self, deployment_id: str) -> None:
        """Refuse work for another deployment, or while it does not serve.

        Raises:
            NotServingError: it serves nothing now.
            NotFoundError: it serves another deployment.
        """
        status = self.status
        if status.state not in _SERVING or self._deployment_id is None:
            raise NotServingError(
                f"The serving kernel is {status.state.value}"
                f"{f': {status.detail}' if status.detail else ''}.",
                "Wait for it to be ready, or deploy the model again.",
            )
        self.check_is_of(deployment_id)

    def check_is_of(self, deployment_id: str) -> None:
        """Refuse to be asked about another deployment.

        Raises:
            NotFoundError: it is attached to another one, or to none.
        """
        if deployment_id != self._deployment_id:
            known = [self._deployment_id] if self._deployment_id else []
            raise NotFoundError.named("deployment", deployment_id, known)

    async def predict(self, upload: Upload) -> Json:
        """Predict on one image and have the prediction recorded.

        Raises:
            InvalidImageError: it is no image, or one that cannot be predicted on.
            QueueFullError: too much waits, for the model or to be recorded.
            NotServingError: there is no worker, or it died over this image.
        """
        supervisor, recorder = self._supervisor, self._recorder
        if supervisor is None or recorder is None:
            raise NotServingError("No model is loaded.", "Wait for the kernel to be ready.")
        predicted = await predicting.predict(upload, supervisor, recorder)
        threshold = self._heart.threshold if self._heart else None
        answer = predicting.answer(predicted, threshold if upload.postprocess else None)
        return {**answer, "threshold": threshold}

    def flush(self, timeout_s: float) -> int:
        """Wait until every prediction is recorded; the number of those that are not."""
        return self._recorder.flush(timeout_s) if self._recorder else 0

    # Stopping ------------------------------------------------------------------------------

    def stop(self, reason: str = "stopped") -> Outcome:
        """Answer the images at hand, record what was predicted, end the worker.

        It takes 135 s at most: 5 s for the images at hand, 5 s for the worker, 120 s for the
        predictions (10 s without a single one recorded), 3 s for the last heartbeat.

        Returns:
            What became of the predictions of this kernel; the same when called again.
        """
        with self._stopping:
            if self._outcome is None:
                self._outcome = self._stop(reason)
            return self._outcome

    def _stop(self, reason: str) -> Outcome:
        self._board.set(state=ServingState.STOPPED, detail=reason)
        if self._supervisor:
            self._supervisor.drain(DRAIN_S)
            self._supervisor.stop()
        outcome = Outcome()
        if self._recorder:
            self._recorder.drain()
            outcome = self._recorder.close()
        self._board.add_detail(outcome.in_words())
        if self._heart:
            self._heart.stop()
        return outcome

    def _gone(self, error: PicselliaJupyterError) -> None:
        superseded = isinstance(error, ConflictError)
        reason = SUPERSEDED if superseded else f"The deployment is gone: {error.fact}"
        # From the heart's own thread, which must not wait for itself.
        threading.Thread(target=self._leave, args=(reason,), name="leave", daemon=True).start()

    def _leave(self, reason: str) -> None:
        self.stop(reason)
        self._on_gone()

    # What changes by itself ----------------------------------------------------------------

    def _worker_changed(self, state: ServingState, reason: str) -> None:
        given_up = state is ServingState.UNHEALTHY
        if self._deployment_id is not None or given_up:
            error = self._last_words(reason) if given_up else None
            self._board.set(state=state, detail=reason, error=error)
        if self._heart:
            self._heart.beat_now()

    def _last_words(self, reason: str) -> ServingError:
        tail = self._supervisor.log_tail if self._supervisor else ()
        return ServingError(reason, "Deploy the model again.", log_tail=tail)

    def _describe(self) -> Heartbeat:
        return Heartbeat(self.status.state, self._kernel, self.status.detail or self._hold_up)

    @property
    def _hold_up(self) -> str:
        return self._recorder.hold_up if self._recorder else ""

    def _say(self, who: str, text: str) -> None:
        if self._log:
            self._log.say(who, text)
