"""A serving kernel's life: prepare a model, serve one deployment, stop."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import uuid
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
    ModelLoadError,
    NotFoundError,
    NotServingError,
    PicselliaJupyterError,
    PlatformUnreachableError,
    ServingError,
)
from picsellia_jupyter.domain.predictions import PredictedImage, considered
from picsellia_jupyter.serving import download, sandbox, trial
from picsellia_jupyter.serving.messages import LoadRequest, WorkerReply
from picsellia_jupyter.serving.platform import Connect, Platform
from picsellia_jupyter.serving.reporting import Heart, Record, Recorder
from picsellia_jupyter.serving.status import Status, StatusBoard
from picsellia_jupyter.serving.supervisor import Supervisor
from picsellia_jupyter.serving.upload import Upload
from picsellia_jupyter.wire import resources
from picsellia_jupyter.wire.predictions import Json

DRAIN_S = 5.0
"""Seconds that images at hand, and then predictions not yet recorded, get at a stop."""
_FIRST_BEAT_S = 20.0
_SERVING = (ServingState.READY, ServingState.DEGRADED)


class Service:
    """Serves one model version for one deployment."""

    def __init__(self, job: ServingJob, address: str, connect: Connect) -> None:
        self.job = job
        self._kernel = ServingKernel(job.kernel_id, address, job.place, os.getpid())
        self._connect = connect
        self._board = StatusBoard()
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
        recorder = self._recorder
        trouble = recorder.trouble if recorder else ""
        status = self.status
        return {
            **status.to_json(),
            "detail": status.detail or trouble,
            "log_tail": list(self._supervisor.log_tail) if self._supervisor else [],
            "pending": recorder.pending if recorder else 0,
            "failed": recorder.failed if recorder else 0,
        }

    # Preparing -----------------------------------------------------------------------------

    def prepare(self) -> None:
        """Download, load and try the model; its outcome is in the status."""
        try:
            dry_run = self._prepare(self._connect())
        except PicselliaJupyterError as error:
            self._fail(error)
        except Exception as error:
            self._fail(ServingError(f"Preparing failed: {type(error).__name__}: {error}"))
            raise
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
        request = LoadRequest(files.model, files.manifest, version.type)
        supervisor = self._supervisor = Supervisor(request, self._worker_changed)
        runtime = supervisor.start()
        self._begin(ServingState.WARMING, Stage.DRY_RUN, "one made-up photo, twice")
        return _dry_run(supervisor, runtime)

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
        """
        with self._attaching:
            if self._deployment_id == deployment_id:
                return
            self._check_attachable(deployment_id)
            self._deployment_id = deployment_id
            self._recorder = Recorder(self._connect, deployment_id)
            # Before the first heartbeat, which has the platform send images here.
            self._board.set(state=ServingState.READY, stage=Stage.READY, detail="")
            self._heart = Heart(self._connect, deployment_id, self._describe, self._gone)
            try:
                _wait_for_first_beat(self._heart)
            except PicselliaJupyterError:
                self._detach()
                raise

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
        if deployment_id != self._deployment_id:
            raise NotFoundError.named("deployment", deployment_id, [self._deployment_id])

    async def predict(self, upload: Upload) -> Json:
        """Predict on one image and have the prediction recorded.

        Raises:
            InvalidImageError: it is no image, or one that cannot be predicted on.
            NotServingError: there is no worker, or it died over this image.
        """
        at = time.time()
        supervisor = self._supervisor
        if supervisor is None:
            raise NotServingError("No model is loaded.", "Wait for the kernel to be ready.")
        reply = await asyncio.wrap_future(
            supervisor.submit(upload.image, upload.filename, record=upload.monitor)
        )
        raw = PredictedImage(upload.filename, reply.size, reply.found, reply.latency_s)
        prediction_id = self._record(upload, reply, raw, at) if upload.monitor else None
        threshold = self._heart.threshold if self._heart else None
        found = considered(reply.found, threshold=threshold) if upload.postprocess else reply.found
        shown = PredictedImage(raw.source, raw.size, found, raw.latency_s, prediction_id)
        answer = resources.reply_to_json(shown, monitored=prediction_id is not None)
        return {**answer, "threshold": threshold}

    def _record(
        self, upload: Upload, reply: WorkerReply, raw: PredictedImage, at: float
    ) -> str | None:
        """Queue a prediction; its id, or None where there is no room."""
        prediction_id = str(uuid.uuid4())
        record = Record(
            PredictedImage(raw.source, raw.size, raw.found, raw.latency_s, prediction_id),
            reply.recorded or upload.image,
            reply.content_type,
            at,
            upload.tags,
            upload.source,
            upload.metadata,
            upload.custom_metadata,
        )
        recorder = self._recorder
        return prediction_id if recorder and recorder.add(record) else None

    def flush(self, timeout_s: float) -> int:
        """Wait until every prediction is recorded; the number of those that are not."""
        return self._recorder.flush(timeout_s) if self._recorder else 0

    # Stopping ------------------------------------------------------------------------------

    def stop(self, reason: str = "stopped") -> None:
        """Answer the images at hand, record their predictions, end the worker."""
        with self._stopping:
            self._board.set(state=ServingState.STOPPED, detail=reason)
            if self._supervisor:
                self._supervisor.drain(DRAIN_S)
                self._supervisor.stop()
            if self._recorder:
                self._recorder.flush(DRAIN_S)
                self._recorder.close()
            if self._heart:
                self._heart.stop()

    def _gone(self, error: PicselliaJupyterError) -> None:
        # From the heart's own thread, which must not wait for itself.
        threading.Thread(
            target=self.stop, args=(f"The deployment is gone: {error.fact}",), daemon=True
        ).start()

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
        return Heartbeat(self.status.state, self._kernel, self.status.detail)


def _dry_run(supervisor: Supervisor, runtime: str) -> DryRun:
    """Predict on a made-up photo: once cold, then timed."""
    image = trial.photo()
    try:
        for _ in ("cold", "warm"):
            reply = supervisor.submit(image, trial.NAME, record=False).result()
    except PicselliaJupyterError as error:
        raise ModelLoadError(
            f"The dry run failed: {error.fact}", error.remedy, log_tail=supervisor.log_tail
        ) from error
    return DryRun(reply.latency_s, len(reply.found), runtime, sandbox.KIND)


def _wait_for_first_beat(heart: Heart) -> None:
    try:
        heart.first.result(_FIRST_BEAT_S)
    except TimeoutError as error:
        raise PlatformUnreachableError(
            f"The platform took no heartbeat within {_FIRST_BEAT_S:g} s.", "Is it running?"
        ) from error
