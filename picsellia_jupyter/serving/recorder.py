"""Records every prediction in its deployment, in order, beside the answering."""

from __future__ import annotations

import collections
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.errors import (
    ConflictError,
    NotFoundError,
    NotServingError,
    PlatformUnreachableError,
)
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.serving.platform import Connect, Platform
from picsellia_jupyter.serving.room import Place, QueueFullError, Room

QUEUE_LIMIT = 1000
QUEUE_BYTES_LIMIT = 256 * 1024 * 1024
LINE_LIMIT = 64
DRAIN_IDLE_S = 10.0
"""A stop gives up on what waits after so long without a single one recorded."""
DRAIN_S = 120.0
"""A stop gives up on what waits after so long in all."""
_TRIES = 3
_BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A prediction with everything that is recorded beside it."""

    predicted: PredictedImage
    image: bytes
    """The encoded image."""
    content_type: str
    """`image/jpeg` or `image/png`."""
    at: float
    """When it was predicted, seconds since the epoch, UTC."""
    tags: tuple[str, ...] = ()
    source: str | None = None
    metadata: Mapping[str, Any] | None = None
    custom_metadata: Mapping[str, Any] | None = None
    stored_as: str | None = None
    """Its object name, where it is in the target datalake already."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of all predictions of a kernel that were to be recorded."""

    recorded: int = 0
    lost: int = 0
    trouble: str = ""
    """Why some were lost."""

    def in_words(self) -> str:
        """What was lost and why; empty where nothing was."""
        if not self.lost:
            return ""
        were = "predictions were" if self.lost != 1 else "prediction was"
        return f"{self.lost} {were} not recorded: {self.trouble}"


class Recorder:
    """Records predictions from a bounded queue, in its own thread.

    A place in the queue is taken before the image is predicted on, so that every prediction
    that is answered is also kept until it is recorded, or counted as failed.
    """

    def __init__(
        self,
        connect: Connect,
        deployment_id: str,
        on_recorded: Callable[[Record, str], None] = lambda _record, _prediction_id: None,
    ) -> None:
        """Begin to record.

        Args:
            connect: makes this thread's own connection.
            deployment_id: where predictions are recorded.
            on_recorded: told of each prediction that is recorded, and the platform's id of it;
                must not wait for anything.
        """
        self._connect = connect
        self._on_recorded = on_recorded
        self._deployment_id = deployment_id
        self._platform: Platform | None = None
        self._room = Room(places=QUEUE_LIMIT, size=QUEUE_BYTES_LIMIT, line=LINE_LIMIT)
        self._queue: collections.deque[tuple[Place, Record]] = collections.deque()
        self._recorded = 0
        self._failed = 0
        self._trouble = ""
        self._refusal = ""
        self._hurried = False
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def recorded(self) -> int:
        """Predictions that the platform has recorded."""
        return self._recorded

    @property
    def pending(self) -> int:
        """Predictions not recorded yet."""
        return len(self._queue)

    @property
    def failed(self) -> int:
        """Predictions that the platform would not record."""
        return self._failed

    @property
    def hold_up(self) -> str:
        """Why predictions wait, in words; empty while nothing holds them up."""
        return self._waiting(self._trouble) if self._trouble else ""

    @property
    def trouble(self) -> str:
        """Why the last attempt failed, or else what the platform last refused; or empty."""
        return self._trouble or self._refusal

    def reserve(self, size: int) -> Place:
        """Ask for room in the queue; the place's future tells when it is there.

        Args:
            size: bytes of the image.

        Raises:
            QueueFullError: too many images wait for room already.
            NotServingError: serving was stopped.
        """
        place = self._room.ask(size)
        if place is None:
            raise self.full()
        return place

    def full(self) -> QueueFullError:
        """Why there is no room."""
        why = self._trouble or "The platform takes them slowly."
        return QueueFullError(
            self._waiting(why),
            "Send the image again when the platform answers, or without monitoring.",
        )

    def release(self, place: Place) -> None:
        """Give back a place that no prediction was put in; else do nothing."""
        with self._changed:
            if not place.used:
                self._room.leave(place)
            self._changed.notify_all()

    def add(self, record: Record, place: Place) -> None:
        """Queue a prediction in the place that was reserved for it.

        Raises:
            NotServingError: serving was stopped meanwhile; it is not recorded.
        """
        with self._changed:
            if self._closed:
                raise NotServingError(
                    "Serving was stopped before this prediction could be recorded.",
                    "Deploy the model again, then send the image again.",
                )
            place.used = True
            self._room.resize(place, len(record.image))
            self._queue.append((place, record))
            self._changed.notify_all()

    def flush(self, timeout_s: float) -> int:
        """Wait until everything is recorded; the number of predictions that are not."""
        with self._changed:
            self._hurry()
            self._changed.wait_for(lambda: not self._queue, timeout_s)
            return len(self._queue)

    def drain(self) -> None:
        """Give out no more room, and record what waits for as long as that gets on.

        Returns after 10 s without progress or 120 s in all, whatever is left.
        """
        self._room.close()
        end = time.monotonic() + DRAIN_S
        with self._changed:
            self._hurry()
            while (left := self._room.taken) and (left_s := end - time.monotonic()) > 0:
                within_s = min(DRAIN_IDLE_S, left_s)
                if not self._changed.wait_for(lambda: self._room.taken < left, within_s):
                    return

    def close(self) -> Outcome:
        """Record nothing more; what became of everything."""
        self._room.close()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            lost = self._failed + len(self._queue)
            return Outcome(self._recorded, lost, self.trouble if lost else "")

    # The recorder's own thread -------------------------------------------------------------

    def _run(self) -> None:
        while (record := self._next()) is not None:
            recorded = self._record(record)
            with self._changed:
                place, _ = self._queue.popleft()
                self._room.leave(place)
                self._recorded += recorded
                self._failed += not recorded
                self._changed.notify_all()

    def _next(self) -> Record | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            return None if self._closed else self._queue[0][1]

    def _record(self, record: Record) -> bool:
        """Try until it is recorded; False when the platform will not have it."""
        attempts = refusals = 0
        while not self._closed:
            try:
                prediction_id = self._send(record)
            except ConflictError:
                # An earlier attempt's reply was lost.
                return self._went_well(record, record.predicted.prediction_id)
            except PlatformUnreachableError as error:
                self._platform = None
                self._note(record, error)
            except Exception as error:  # noqa: BLE001 - one prediction must not end the thread
                self._note(record, error)
                refusals += 1
                if refusals >= _TRIES or isinstance(error, NotFoundError):
                    return self._was_refused(record)
            else:
                return self._went_well(record, prediction_id)
            self._pause(attempts)
            attempts += 1
        return False

    def _send(self, record: Record) -> str:
        if self._platform is None:
            self._platform = self._connect()
        return self._platform.monitor(
            self._deployment_id,
            record.image,
            record.predicted,
            content_type=record.content_type,
            stored_as=record.stored_as,
            at=record.at,
            tags=record.tags,
            source=record.source,
            metadata=record.metadata,
            custom_metadata=record.custom_metadata,
        )

    def _went_well(self, record: Record, prediction_id: str | None) -> bool:
        self._trouble = ""
        if prediction_id is not None:
            self._on_recorded(record, prediction_id)
        return True

    def _was_refused(self, record: Record) -> bool:
        self._refusal = f"{record.predicted.source!r} was not recorded: {self._trouble}"
        self._trouble = ""
        return False

    def _note(self, record: Record, error: Exception) -> None:
        trouble = str(error) or type(error).__name__
        if trouble != self._trouble:
            _log.warning("%s could not be recorded: %s", record.predicted.source, trouble)
        self._trouble = trouble

    def _waiting(self, why: str) -> str:
        count = self.pending
        return f"{count} prediction{'s wait' if count != 1 else ' waits'} to be recorded: {why}"

    def _pause(self, attempts: int) -> None:
        """Wait a little longer after every attempt, unless somebody waits for the outcome."""
        wait_s = _BACKOFF_S[min(attempts, len(_BACKOFF_S) - 1)]
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._hurried, wait_s)
            self._hurried = False

    def _hurry(self) -> None:
        self._hurried = True
        self._changed.notify_all()
