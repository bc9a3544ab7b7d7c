"""One image's way through a serving kernel: room, model, record, answer."""

from __future__ import annotations

import asyncio
import dataclasses
import time
import uuid

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
    try:
        at = time.time()
        reply = await _run(upload, pool)
        prediction_id = upload.prediction_id or str(uuid.uuid4())
        predicted = _predicted(upload, reply, prediction_id, version_id)
        await pool.awaiter.result(recorder.keep(_record(upload, reply, predicted, at), place))
    finally:
        recorder.release(place)
    return predicted


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
    return await pool.awaiter.result(
        pool.submit(upload.image, upload.filename, record=upload.monitor)
    )


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
