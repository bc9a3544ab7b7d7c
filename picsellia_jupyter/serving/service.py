"""A serving kernel's life: prepare a model, serve one deployment, stop."""

from __future__ import annotations

import dataclasses
import functools
import logging
import os
import threading
from collections.abc import Callable

from picsellia_jupyter.domain.deployments import (
    Heartbeat,
    ServingJob,
    ServingKernel,
    ServingState,
    Stage,
)
from picsellia_jupyter.domain.errors import (
    ConflictError,
    NotServingError,
    PicselliaJupyterError,
    ServingError,
)
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.recording.recorder import Outcome, Recorder
from picsellia_jupyter.serving import predicting
from picsellia_jupyter.serving.admission import Admission
from picsellia_jupyter.serving.attachment import Attachment
from picsellia_jupyter.serving.logfile import LogFile
from picsellia_jupyter.serving.outcomes import Outcomes
from picsellia_jupyter.serving.platform import Connect
from picsellia_jupyter.serving.pool import Pool
from picsellia_jupyter.serving.readings import Readings
from picsellia_jupyter.serving.signature import LoadedModel
from picsellia_jupyter.serving.status import Status, StatusBoard
from picsellia_jupyter.serving.stored import StoredImages
from picsellia_jupyter.serving.succession import Succession
from picsellia_jupyter.serving.tensors import Tensors
from picsellia_jupyter.serving.upload import Upload
from picsellia_jupyter.wire import resources
from picsellia_jupyter.wire.predictions import Json

DRAIN_S = 5.0
"""Seconds that images at hand get at a stop."""
SUPERSEDED = "superseded by another serving kernel"

_log = logging.getLogger(__name__)


class Service(Admission):
    """Serves the champion of one deployment."""

    def __init__(
        self,
        job: ServingJob,
        address: str,
        connect: Connect,
        *,
        log: LogFile | None = None,
        on_gone: Callable[[], None] = lambda: None,
        on_champion: Callable[[ModelVersion], None] = lambda _version: None,
    ) -> None:
        """Make it; `prepare` comes next.

        Args:
            job: what to serve.
            address: of the front.
            connect: makes connections to the platform.
            log: takes what happens, and what workers print.
            on_gone: called once it has stopped because its deployment is not its own any more.
            on_champion: told of another version that has taken over.
        """
        self.job = job
        self._kernel = ServingKernel(job.kernel_id, address, job.place, os.getpid())
        self.outcomes = Outcomes()
        self._connect = connect
        self._log = log
        self._on_gone = on_gone
        self._board = StatusBoard(lambda status: self._say("kernel", status.in_words()))
        self._outcome: Outcome | None = None
        self.succession = Succession(job, self._board, connect, self._worker_changed, self._say)
        self.succession.on_switched = on_champion
        self._attached: Attachment | None = None
        self._attaching = threading.Lock()
        self._stopping = threading.Lock()

    @property
    def status(self) -> Status:
        """How it is now."""
        return self._board.now

    @property
    def deployment_id(self) -> str | None:
        """The deployment it is attached to."""
        return self._attached.deployment_id if self._attached else None

    @property
    def _recorder(self) -> Recorder | None:
        return self._attached.recorder if self._attached else None

    @property
    def _pool(self) -> Pool | None:
        return self.succession.current.pool

    @property
    def version(self) -> ModelVersion | None:
        """The model version it serves; None before the platform was asked for it."""
        return self.succession.current.version

    @property
    def model(self) -> LoadedModel | None:
        """What a worker says of the model; None before it is loaded."""
        return self.succession.current.model

    @property
    def worker_pids(self) -> tuple[int, ...]:
        """Process ids of the model workers that run."""
        return self._pool.worker_pids if self._pool else ()

    @property
    def worker_pid(self) -> int | None:
        """Process id of the first of them, where one runs."""
        return next(iter(self.worker_pids), None)

    def report(self) -> Json:
        """The reply of `/control/status`."""
        return {
            **self.status.to_json(),
            **self.backlog(),
            "detail": self._why,
            "log_tail": list(self._pool.log_tail) if self._pool else [],
            "log_file": str(self._log.path) if self._log else None,
            "champion": self.succession.report(),
            "shadow": self._attached.shadow.report() if self._attached else None,
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

    def readings(self) -> Readings:
        """What there is to measure, now; from any thread."""
        pool, recorder = self._pool, self._recorder
        return Readings(
            ready=self.status.state is ServingState.READY,
            version=self.version,
            model=self.model,
            workers=pool.numbers() if pool else None,
            worker_pids=self.worker_pids,
            recorded=recorder.recorded if recorder else 0,
            pending=recorder.pending if recorder else 0,
            failed=recorder.failed if recorder else 0,
        )

    # Preparing -----------------------------------------------------------------------------

    def prepare(self) -> None:
        """Download, load and try the model; its outcome is in the status."""
        try:
            dry_run = self.succession.current.run(self._connect())
        except PicselliaJupyterError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - told in the status, where its owner looks
            self._fail(ServingError(f"Preparing failed: {type(error).__name__}: {error}"))
            _log.exception("Preparing failed")
        else:
            self._board.set(dry_run=dry_run, detail="ready to serve a deployment")

    def _fail(self, error: PicselliaJupyterError) -> None:
        self._board.set(state=ServingState.UNHEALTHY, detail=str(error), error=error)
        if self._pool:
            self._pool.stop()

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
            if self.deployment_id == deployment_id:
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
        say = functools.partial(self._say, "shadow")
        attached = Attachment(self._connect, self.job, deployment_id, say, self.succession)
        self._attached = attached
        # Before the first heartbeat, which has the platform send images here.
        state, reason = self._pool.state if self._pool else (ServingState.READY, "")
        self._board.set(state=state, stage=Stage.READY, detail=reason)
        attached.begin(self._describe, self._gone, self._board.pause)

    def _check_attachable(self, deployment_id: str) -> None:
        if self.deployment_id is not None:
            raise ConflictError(
                f"This serving kernel serves deployment {self.deployment_id} already.",
                f"Start another one for {deployment_id}.",
            )
        if self.status.dry_run is None or self.status.state is not ServingState.WARMING:
            raise NotServingError(
                f"The serving kernel is {self.status.state.value}: {self.status.detail}.",
                "Wait until its dry run is done.",
            )

    def _detach(self) -> None:
        attached, self._attached = self._attached, None
        self._board.set(state=ServingState.WARMING, stage=Stage.DRY_RUN)
        if attached:
            attached.abandon()

    async def predict(self, upload: Upload) -> Json:
        """Predict on one image; the reply to the SDK. Raises what `predicted` does."""
        predicted = await self.predicted(upload)
        threshold = self._attached.threshold if self._attached else None
        answer = predicting.answer(predicted, threshold if upload.postprocess else None)
        return {**answer, "threshold": threshold}

    async def predicted(self, upload: Upload) -> PredictedImage:
        """Everything that is found in one image, which is recorded if it is to be monitored.

        Raises:
            InvalidImageError: it is no image, or one that cannot be predicted on.
            QueueFullError: too much waits, for the model or to be recorded.
            NotServingError: there is no worker, or it died over this image.
            QuotaSpentError: the platform has paused it.
        """
        champion, recorder = self.succession.champion, self._attachment.recorder
        self.status.check_paid()
        predicted = await predicting.predict(upload, champion, recorder)
        self.outcomes.took(predicted.latency_s)
        return predicted

    async def infer(self, given: Tensors) -> Tensors:
        """The model's own outputs for inputs of its own; nothing is recorded.

        Raises:
            InvalidInputError: they are not the inputs it takes.
            QueueFullError: too much waits for the model.
            NotServingError: there is no worker, or it died over these.
        """
        pool = self.succession.champion.pool
        return await pool.awaiter.result(pool.submit_tensors(given))

    @property
    def stored(self) -> StoredImages:
        """The images of the deployment's target datalake.

        Raises:
            NotServingError: no deployment is served.
        """
        return self._attachment.stored

    @property
    def _attachment(self) -> Attachment:
        if self._attached is None:
            raise NotServingError("No deployment is served.", "Wait for the kernel to be ready.")
        return self._attached

    async def predict_shadow(self, upload: Upload, prediction_id: str) -> Json:
        """Have the shadow model predict on an image that the champion has seen.

        Args:
            upload: the image; its `monitor` says whether it is recorded.
            prediction_id: the platform's id of the champion's prediction.

        Raises:
            InvalidInputError: there is no shadow model, or the image cannot be predicted on.
            NotServingError: the shadow model is not ready.
            ConflictError: the shadow's prediction is recorded already.
        """
        own = self._attachment
        predicted = await predicting.predict_shadow(upload, own.shadow, prediction_id)
        if upload.monitor:
            of, unnamed = own.deployment_id, dataclasses.replace(predicted, prediction_id=None)
            await own.stored.ask(
                lambda platform: platform.monitor_shadow(of, prediction_id, unnamed)
            )
        return resources.reply_to_json(predicted, monitored=upload.monitor)

    def flush(self, timeout_s: float) -> int:
        """Wait until every prediction is recorded; the number of those that are not."""
        return self._recorder.flush(timeout_s) if self._recorder else 0

    # Stopping ------------------------------------------------------------------------------

    def stop(self, reason: str = "stopped", *, comes_back: bool = False) -> Outcome:
        """Answer the images at hand, record what was predicted, end the worker.

        135 s at most: 5 for the images at hand, 5 for the worker, 3 for the last heartbeat, 120
        for the predictions (10 without a single one recorded). What is left then is kept.

        Returns:
            What became of the predictions of this kernel; the same when called again.
        """
        with self._stopping:
            if self._outcome is None:
                self._outcome = self._stop(reason, comes_back)
            return self._outcome

    def _stop(self, reason: str, comes_back: bool) -> Outcome:
        self._board.set(state=ServingState.STOPPED, detail=reason, comes_back=comes_back)
        self.succession.close()
        if self._pool:
            self._pool.drain(DRAIN_S)
            self._pool.stop()
        outcome = self._attached.finish() if self._attached else Outcome()
        self._board.add_detail(outcome.in_words())
        if self._attached:
            self._attached.say_last()
        return outcome

    def _gone(self, error: PicselliaJupyterError) -> None:
        gone = f"The deployment is gone: {error.fact}"
        reason = SUPERSEDED if isinstance(error, ConflictError) else gone
        # From the heart's own thread, which must not wait for itself.
        threading.Thread(target=self._leave, args=(reason,), name="leave", daemon=True).start()

    def _leave(self, reason: str) -> None:
        self.stop(reason)
        self._on_gone()

    # What changes by itself ----------------------------------------------------------------

    def _worker_changed(self, state: ServingState, reason: str) -> None:
        error = self._last_words(reason) if state is ServingState.UNHEALTHY else None
        if self._attached or error:
            self._board.set(state=state, detail=reason, error=error)
        if self._attached:
            self._attached.beat_now()

    def _last_words(self, reason: str) -> ServingError:
        tail = self._pool.log_tail if self._pool else ()
        return ServingError(reason, "Deploy the model again.", log_tail=tail)

    def _describe(self) -> Heartbeat:
        kernel = dataclasses.replace(
            self._kernel,
            model_version_id=self.version.id if self.version else "",
            shadow_version_id=self._attached.shadow.ready if self._attached else "",
        )
        failed, answers = self.succession.failed, self.outcomes.so_far
        return Heartbeat(self.status.state, kernel, self._why, failed=failed, answers=answers)

    @property
    def _why(self) -> str:
        hold_up = self._recorder.hold_up if self._recorder else ""
        return self.status.detail or hold_up or self.succession.trouble

    def _say(self, who: str, text: str) -> None:
        if self._log:
            self._log.say(who, text)
