"""One image's way through a serving kernel: room, model, record, answer."""

from __future__ import annotations

import asyncio
import dataclasses
import time
import uuid
from concurrent.futures import Future

from picsellia_jupyter.domain.predictions import PredictedImage, considered
from picsellia_jupyter.recording.recorder import Recorder
from picsellia_jupyter.recording.records import Record
from picsellia_jupyter.recording.room import Place
from picsellia_jupyter.serving.messages import WorkerReply
from picsellia_jupyter.serving.pool import Pool
from picsellia_jupyter.serving.shadow import Shadow
from picsellia_jupyter.serving.succession import Champion
from picsellia_jupyter.serving.upload import Upload
from picsellia_jupyter.wire import resources
from picsellia_jupyter.wire.predictions import Json

ROOM_WAIT_S = 30.0
"""Seconds that an image waits for room among the predictions to be recorded."""


async def predict(upload: Upload, champion: Champion, recorder: Recorder) -> PredictedImage:
    """Predict on an image and keep everything that was found for recording.

    An image that is to be recorded first waits up to 30 s for room among those that are not
    recorded yet, and is answered when its prediction is on disk.

    Raises:
        InvalidImageError: it is no image, or one that cannot be predicted on.
        QueueFullError: too much waits, for the model or to be recorded.
        NotDurableError: the disk does not take the prediction.
        NotServingError: there is no worker, it died over this image, or serving was stopped.
    """
    pool, version_id = champion.pool, champion.version.id
    if not upload.monitor:
        return _predicted(upload, await _run(upload, pool), None, version_id)
    place = await _room(recorder, len(upload.image))
    keeping = _Keeping(upload, version_id, recorder, place)
    try:
        return await keeping.outcome(pool)
    finally:
        if keeping.kept.cancel():
            recorder.release(place)


class _Keeping:
    """Puts a prediction on disk as soon as the worker has answered, in the thread that hears it.

    The event loop is woken once, when all is done: each time it wakes it takes the processor and
    its caches from a worker.
    """

    def __init__(self, upload: Upload, version_id: str, recorder: Recorder, place: Place) -> None:
        self._upload, self._version_id = upload, version_id
        self._recorder, self._place = recorder, place
        self._at = time.time()
        self.kept: Future[PredictedImage] = Future()
        """The prediction, once it is on disk; who cancels it in time has it forgotten."""

    async def outcome(self, pool: Pool) -> PredictedImage:
        """Have a worker predict, and wait until that is kept."""
        reply = pool.submit(self._upload.image, self._upload.filename, record=True)
        reply.add_done_callback(self._keep)
        try:
            return await pool.awaiter.result(self.kept)
        except asyncio.CancelledError:
            reply.cancel()
            raise

    def _keep(self, answered: Future[WorkerReply]) -> None:
        # Nobody may wait for it any more; from here on, it is kept whoever goes away.
        if not self.kept.set_running_or_notify_cancel():
            return
        try:
            predicted, kept = self._begin(answered.result())
        except Exception as error:  # noqa: BLE001 - whatever it is, the client is told
            self._fail(error)
            return
        kept.add_done_callback(lambda done: self._settle(predicted, done))

    def _begin(self, reply: WorkerReply) -> tuple[PredictedImage, Future[int]]:
        upload = self._upload
        prediction_id = upload.prediction_id or str(uuid.uuid4())
        predicted = _predicted(upload, reply, prediction_id, self._version_id)
        record = _record(upload, reply, predicted, self._at)
        return predicted, self._recorder.keep(record, self._place)

    def _settle(self, predicted: PredictedImage, done: Future[int]) -> None:
        if error := done.exception():
            self._fail(error)
        else:
            self.kept.set_result(predicted)

    def _fail(self, error: BaseException) -> None:
        self._recorder.release(self._place)
        self.kept.set_exception(error)


async def predict_shadow(upload: Upload, shadow: Shadow, prediction_id: str) -> PredictedImage:
    """Have the shadow model predict on an image.

    Raises:
        InvalidInputError: there is no shadow model, or the image cannot be predicted on.
        NotServingError: the shadow model is not ready.
    """
    version_id = shadow.served or ""
    reply = await asyncio.wrap_future(shadow.submit(upload.image, upload.filename))
    return _predicted(upload, reply, prediction_id, version_id)


def answer(predicted: PredictedImage, threshold: float | None) -> Json:
    """The reply to a predict request, with what is over the threshold; None keeps all."""
    found = considered(predicted.found, threshold=threshold)
    prediction_id = predicted.prediction_id
    shown = dataclasses.replace(predicted, found=found)
    return resources.reply_to_json(shown, monitored=prediction_id is not None)


async def _room(recorder: Recorder, size: int) -> Place:
    """Wait for room for an image among what is to be recorded."""
    place = recorder.reserve(size)
    if place.granted.done() and not place.granted.exception():
        return place
    granted = asyncio.wrap_future(place.granted)
    try:
        done, _ = await asyncio.wait([granted], timeout=ROOM_WAIT_S)
        if done:
            granted.result()
            return place
    except BaseException:
        recorder.release(place)
        raise
    granted.cancel()
    recorder.release(place)
    raise recorder.full()


async def _run(upload: Upload, pool: Pool) -> WorkerReply:
    return await pool.awaiter.result(pool.submit(upload.image, upload.filename, record=False))


def _predicted(
    upload: Upload, reply: WorkerReply, prediction_id: str | None, version_id: str
) -> PredictedImage:
    return PredictedImage(
        upload.filename, reply.size, reply.found, reply.latency_s, prediction_id, version_id
    )


def _record(upload: Upload, reply: WorkerReply, predicted: PredictedImage, at: float) -> Record:
    return Record(
        predicted,
        reply.recorded or upload.image,
        reply.content_type,
        at,
        upload.tags,
        upload.source,
        upload.metadata,
        upload.custom_metadata,
        # What the platform does not store as it is, is stored anew as PNG.
        None if reply.recorded else upload.stored_as,
    )
