"""What a serving kernel tells the platform: its heartbeat, and every prediction."""

from __future__ import annotations

import collections
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.deployments import Heartbeat
from picsellia_jupyter.domain.errors import (
    ConflictError,
    NotFoundError,
    PicselliaJupyterError,
    PlatformUnreachableError,
)
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.serving.platform import Connect, Platform

QUEUE_LIMIT = 1000
QUEUE_BYTES_LIMIT = 256 * 1024 * 1024
_TRIES = 3
_BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_INTERVAL_S = 2.0

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


class Recorder:
    """Records predictions in a deployment from a bounded queue, in order, in its own thread."""

    def __init__(self, connect: Connect, deployment_id: str) -> None:
        self._connect = connect
        self._deployment_id = deployment_id
        self._platform: Platform | None = None
        self._queue: collections.deque[Record] = collections.deque()
        self._queued_bytes = 0
        self._failed = 0
        self._trouble = ""
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def pending(self) -> int:
        """Predictions not recorded yet."""
        return len(self._queue)

    @property
    def failed(self) -> int:
        """Predictions that the platform would not record, or for which there was no room."""
        return self._failed

    @property
    def trouble(self) -> str:
        """Why the last attempt failed; empty when it did not."""
        return self._trouble

    def add(self, record: Record) -> bool:
        """Queue a prediction; False when there is no room for it."""
        size = len(record.image)
        with self._changed:
            full = len(self._queue) >= QUEUE_LIMIT or self._queued_bytes + size > QUEUE_BYTES_LIMIT
            if full or self._closed:
                self._failed += 1
                return False
            self._queue.append(record)
            self._queued_bytes += size
            self._changed.notify_all()
            return True

    def flush(self, timeout_s: float) -> int:
        """Wait until everything is recorded; the number of predictions that are not."""
        with self._changed:
            self._changed.wait_for(lambda: not self._queue, timeout_s)
            return len(self._queue)

    def close(self) -> None:
        """Record nothing more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _run(self) -> None:
        while (record := self._next()) is not None:
            recorded = self._record(record)
            with self._changed:
                self._queue.popleft()
                self._queued_bytes -= len(record.image)
                self._failed += not recorded
                self._changed.notify_all()

    def _next(self) -> Record | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closed)
            return None if self._closed else self._queue[0]

    def _record(self, record: Record) -> bool:
        """Try until it is recorded; False when the platform will not have it."""
        tries = 0
        while not self._closed:
            try:
                self._send(record)
            except ConflictError:
                return self._went_well()  # an earlier attempt's reply was lost
            except PlatformUnreachableError as error:
                self._platform = None
                self._note(record, error)
            except Exception as error:  # noqa: BLE001 - one prediction must not end the thread
                self._note(record, error)
                tries += 1
                if tries >= _TRIES or isinstance(error, NotFoundError):
                    return False
            else:
                return self._went_well()
            self._pause(tries)
        return False

    def _send(self, record: Record) -> None:
        if self._platform is None:
            self._platform = self._connect()
        self._platform.monitor(
            self._deployment_id,
            record.image,
            record.predicted,
            content_type=record.content_type,
            at=record.at,
            tags=record.tags,
            source=record.source,
            metadata=record.metadata,
            custom_metadata=record.custom_metadata,
        )

    def _went_well(self) -> bool:
        self._trouble = ""
        return True

    def _note(self, record: Record, error: Exception) -> None:
        trouble = str(error) or type(error).__name__
        if trouble != self._trouble:
            _log.warning("%s could not be recorded: %s", record.predicted.source, trouble)
        self._trouble = trouble

    def _pause(self, tries: int) -> None:
        wait_s = _BACKOFF_S[min(tries, len(_BACKOFF_S) - 1)]
        with self._changed:
            self._changed.wait_for(lambda: self._closed, wait_s)


class Heart:
    """Tells the platform every few seconds how the serving kernel is."""

    def __init__(
        self,
        connect: Connect,
        deployment_id: str,
        describe: Callable[[], Heartbeat],
        on_gone: Callable[[PicselliaJupyterError], None],
    ) -> None:
        """Begin to beat.

        Args:
            connect: makes this thread's own connection.
            deployment_id: whose kernel this is.
            describe: the state at the moment.
            on_gone: called once when the deployment does not exist any more.
        """
        self.first: Future[float | None] = Future()
        self.threshold: float | None = None
        """The deployment's threshold, as the platform last said."""
        self._connect = connect
        self._deployment_id = deployment_id
        self._describe = describe
        self._on_gone = on_gone
        self._platform: Platform | None = None
        self._now = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
        self._thread.start()

    def beat_now(self) -> None:
        """Do not wait for the next interval: the state has changed."""
        self._now.set()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Tell the last state and end."""
        self._stopping = True
        self._now.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        interval_s = _INTERVAL_S
        last = False
        while not last:
            self._now.clear()
            last = self._stopping
            try:
                interval_s = self._beat()
            except NotFoundError as error:
                was_there = self.first.done()
                self._fail_first(error)
                if was_there and not last:
                    self._on_gone(error)
                return
            except Exception as error:  # noqa: BLE001 - the platform may answer the next one
                self._platform = None
                self._fail_first(error)
                _log.info("No heartbeat was taken: %s", error)
            if not last:
                self._now.wait(interval_s)

    def _beat(self) -> float:
        if self._platform is None:
            self._platform = self._connect()
        reply = self._platform.heartbeat(self._deployment_id, self._describe())
        self.threshold = reply.threshold
        if not self.first.done():
            self.first.set_result(reply.threshold)
        return reply.interval_s

    def _fail_first(self, error: Exception) -> None:
        if not self.first.done():
            self.first.set_exception(error)
