"""The shadow model: predicts on what the champion was asked, after its reply, beside it."""

from __future__ import annotations

import collections
import logging
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from picsellia_jupyter.domain.deployments import ServingJob, ServingState
from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotServingError,
    PlatformUnreachableError,
)
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.recording.records import Record
from picsellia_jupyter.serving import download
from picsellia_jupyter.serving.messages import LoadRequest, WorkerReply
from picsellia_jupyter.serving.platform import Connect, Platform
from picsellia_jupyter.serving.pool import Pool
from picsellia_jupyter.wire.predictions import Json

QUEUE_LIMIT = 100
QUEUE_BYTES_LIMIT = 64 * 1024 * 1024
_PREDICT_TIMEOUT_S = 90.0
_TRIES, _PAUSE_S = 3, 1.0
_RETRY_LOAD_S = 5.0
_NICENESS = 10
"""The shadow's worker gets what processor time the champion leaves."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class _Image:
    """An image that the champion's prediction is recorded of."""

    prediction_id: str
    name: str
    image: bytes


class Shadow:
    """Serves the shadow model version of one deployment, if it has one.

    Nothing here is on the way of a reply: images come from the recorder once the champion's
    prediction is recorded, wait in a queue of their own, and are left out where it is full.
    """

    def __init__(
        self, connect: Connect, job: ServingJob, deployment_id: str, say: Callable[[str], None]
    ) -> None:
        """Begin with no shadow model; `follow` names one.

        Args:
            connect: makes this thread's own connection.
            job: says which file of a version is the model, and where files are kept.
            deployment_id: whose shadow this is.
            say: takes what happens, and what the worker prints.
        """
        self._connect = connect
        self._job = job
        self._deployment_id = deployment_id
        self._say = say
        self._platform: Platform | None = None
        self._wanted: str | None = None
        self._served: str | None = None
        self._pool: Pool | None = None
        self._state, self._detail = "none", ""
        self._queue: collections.deque[_Image] = collections.deque()
        self._bytes = 0
        self._recorded = self._dropped = self._failed = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._thread.start()

    @property
    def served(self) -> str | None:
        """Id of the model version that it predicts with, or loads."""
        return self._served

    @property
    def ready(self) -> str:
        """Id of the model version that predicts; empty where none is ready."""
        return (self._served or "") if self._state == ServingState.READY.value else ""

    def report(self) -> Json:
        """How it is: its state, and what became of the images."""
        return {
            "model_version_id": self._served,
            "state": self._state,
            "detail": self._detail,
            "recorded": self._recorded,
            "pending": len(self._queue),
            "dropped": self._dropped,
            "failed": self._failed,
        }

    def follow(self, version_id: str | None) -> None:
        """Serve this model version from now on, or none; returns at once."""
        if version_id != self._wanted:
            with self._changed:
                self._wanted = version_id
                self._changed.notify_all()

    def offer(self, record: Record, prediction_id: str) -> None:
        """Have an image predicted on later; it is left out where too many wait."""
        with self._changed:
            if self._wanted is None or self._closed:
                return
            size = len(record.image)
            if len(self._queue) >= QUEUE_LIMIT or self._bytes + size > QUEUE_BYTES_LIMIT:
                self._dropped += 1
                return
            self._queue.append(_Image(prediction_id, record.predicted.source, record.image))
            self._bytes += size
            self._changed.notify_all()

    def submit(self, image: bytes, name: str) -> Future[WorkerReply]:
        """Queue an image for a client that asks the shadow model itself.

        Raises:
            InvalidInputError: the deployment has no shadow model.
            NotServingError: the shadow model is not ready.
        """
        if self._wanted is None:
            raise InvalidInputError(
                "The deployment has no shadow model.",
                "Set one: deployment.set_shadow_model(version).",
            )
        pool = self._pool
        if pool is None or self._served != self._wanted:
            raise NotServingError(
                f"The shadow model is {self._state}{f': {self._detail}' if self._detail else ''}.",
                "Wait for it to be ready, or set another one.",
            )
        return pool.submit(image, name, record=False)

    def close(self) -> None:
        """Predict on nothing more and end the worker."""
        with self._changed:
            self._closed = True
            self._leave_out()
            self._changed.notify_all()
        pool = self._pool
        if pool:
            pool.stop()
        self._thread.join(5.0)

    # The shadow's own thread ---------------------------------------------------------------

    def _run(self) -> None:
        while self._wait():
            try:
                if self._wanted != self._served:
                    self._change()
                elif image := self._next():
                    self._predict(image)
            except Exception as error:  # noqa: BLE001 - the champion goes on whatever happens
                _log.exception("The shadow model failed")
                self._set("failed", str(error) or type(error).__name__)
        self._end_worker()

    def _wait(self) -> bool:
        """Wait for something to do; False when nothing is to be done any more."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._closed or self._wanted != self._served or self._queue
            )
            return not self._closed

    def _next(self) -> _Image | None:
        with self._changed:
            if not self._queue:
                return None
            image = self._queue.popleft()
            self._bytes -= len(image.image)
            return image

    def _leave_out(self) -> None:
        """What still waits is not going to be predicted on."""
        if self._queue:
            self._say(
                f"{len(self._queue)} images waited for the shadow model and are left out; "
                "deployment.shadow_predict() predicts on them"
            )
        self._dropped += len(self._queue)
        self._queue.clear()
        self._bytes = 0

    def _change(self) -> None:
        """End the model that is served and load the one that is wanted."""
        self._end_worker()
        wanted = self._served = self._wanted
        if wanted is None:
            with self._changed:
                self._leave_out()
            self._set("none")
            return
        self._set("loading", wanted)
        try:
            self._load(wanted)
        except PlatformUnreachableError as error:
            self._set("failed", str(error))
            self._platform = self._served = None
            self._pause(_RETRY_LOAD_S)
        except Exception as error:  # noqa: BLE001 - told in the status; the champion goes on
            self._set("failed", str(error) or type(error).__name__)
            self._end_worker()
        else:
            self._set("ready")

    def _load(self, version_id: str) -> None:
        platform = self._connected()
        version = platform.model_version(version_id)
        files = download.fetch(
            platform,
            version,
            self._job.model_file,
            Path(self._job.cache_dir),
            on_download=lambda name: self._set("loading", f"{name} of {version.title}"),
        )
        request = LoadRequest(
            files.model, files.manifest, version.type, len(version.labels),
            self._job.device, self._job.precision,
        )  # fmt: skip
        # Known before it starts, so that closing ends it while it still loads.
        pool = self._pool = Pool(request, self._worker_changed, self._say, workers=1)
        pool.start()
        _yield_to_others(pool.worker_pid)

    def _predict(self, image: _Image) -> None:
        """Predict on one image and record it; a failure is counted."""
        try:
            reply = self.submit(image.image, image.name).result(_PREDICT_TIMEOUT_S)
            found = PredictedImage(
                image.name, reply.size, reply.found, reply.latency_s,
                model_version_id=self._served or "",
            )  # fmt: skip
            self._record(image.prediction_id, found)
        except Exception as error:  # noqa: BLE001 - the next one may go well
            self._failed += 1
            self._detail = f"{image.name}: {error}"
            _log.info("The shadow of %s was not recorded: %s", image.name, error)
        else:
            self._recorded += 1

    def _record(self, prediction_id: str, found: PredictedImage) -> None:
        for left in reversed(range(_TRIES)):
            try:
                return self._connected().monitor_shadow(self._deployment_id, prediction_id, found)
            except ConflictError:
                return None  # an earlier attempt's reply was lost
            except PlatformUnreachableError:
                self._platform = None
                if not left:
                    raise
            self._pause(_PAUSE_S)
        return None

    def _pause(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed, seconds)

    def _connected(self) -> Platform:
        if self._platform is None:
            self._platform = self._connect()
        return self._platform

    def _worker_changed(self, state: ServingState, reason: str) -> None:
        self._set(state.value, reason)
        if state is ServingState.READY and self._pool:
            _yield_to_others(self._pool.worker_pid)

    def _end_worker(self) -> None:
        pool, self._pool = self._pool, None
        if pool:
            pool.stop()

    def _set(self, state: str, detail: str = "") -> None:
        self._state, self._detail = state, detail
        self._say(f"shadow model {state}{f': {detail}' if detail else ''}")


def _yield_to_others(pid: int | None) -> None:
    """Lower the priority of a worker and all its threads, where the system is Linux."""
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(thread.name), _NICENESS)
    except (OSError, AttributeError) as error:
        _log.info("The shadow's worker keeps its priority: %s", error)
