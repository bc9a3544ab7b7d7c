"""Records every prediction in its deployment, in order, beside the answering."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from picsellia_jupyter.domain.counting import count
from picsellia_jupyter.domain.errors import (
    ConflictError,
    NotFoundError,
    PlatformError,
    PlatformUnreachableError,
)
from picsellia_jupyter.recording.outbox import Kept, Outbox
from picsellia_jupyter.recording.recipient import Connect, Recipient
from picsellia_jupyter.recording.records import Record
from picsellia_jupyter.recording.room import Place, QueueFullError, Room
from picsellia_jupyter.recording.spool import Held

QUEUE_LIMIT = 50_000
QUEUE_BYTES_LIMIT = 2 * 1024**3
"""On disk, with what is set aside."""
LINE_LIMIT = 64
DRAIN_IDLE_S = 10.0
"""A stop gives up on what waits after so long without a single one recorded."""
DRAIN_S = 120.0
"""A stop gives up on what waits after so long in all."""
GIVE_WAY_S = 0.25
"""Recording costs as much of the processor as a prediction or two; so seldom it may, under load."""
_TRIES = 3
_BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of all predictions of a kernel that were to be recorded."""

    recorded: int = 0
    kept: int = 0
    """On disk; the next kernel that serves the deployment records them."""
    failed: int = 0
    """The platform would not have them; they are set aside on disk."""
    trouble: str = ""
    """Why some are kept or failed."""

    def in_words(self) -> str:
        """What was not recorded and why; empty where everything was."""
        parts = []
        if self.kept:
            kept = count(self.kept, "prediction is", "predictions are")
            parts.append(f"{kept} kept and recorded when the deployment is served here again")
        if self.failed:
            refused = count(self.failed, "prediction was", "predictions were")
            parts.append(f"{refused} refused and set aside")
        return f"{', '.join(parts)}: {self.trouble}" if parts else ""


class Recorder:
    """Records predictions from a bounded outbox, in its own thread.

    Room is taken before the image is predicted on, so that every prediction can be kept: it
    is on disk before it is answered, and stays there until it is recorded.
    """

    def __init__(
        self,
        connect: Connect,
        deployment_id: str,
        folder: Path,
        on_recorded: Callable[[Record, str], None] = lambda _record, _prediction_id: None,
        pressure: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Begin to record.

        Args:
            connect: makes this thread's own connection.
            deployment_id: where predictions are recorded.
            folder: of the deployment's spools.
            on_recorded: told of each prediction that is recorded, and the platform's id of it;
                must not wait for anything.
            pressure: photos under way for each worker; over 1 they go first, since the processor
                is needed for them.
        """
        self._connect = connect
        self._on_recorded = on_recorded
        self._pressure = pressure
        self._deployment_id = deployment_id
        self._platform: Recipient | None = None
        self._room = Room(places=QUEUE_LIMIT, size=QUEUE_BYTES_LIMIT, line=LINE_LIMIT)
        self._recorded = 0
        self._trouble = ""
        self._refusal = ""
        self._hurried = False
        self._closed = False
        self._draining = False
        self._awaited = 0
        """How many wait until everything is recorded."""
        self._changed = threading.Condition()
        self._outbox = Outbox(folder, self._found, pressure)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def recorded(self) -> int:
        """Predictions that the platform has recorded."""
        return self._recorded

    @property
    def pending(self) -> int:
        """Predictions not recorded yet."""
        return self._outbox.waiting

    @property
    def failed(self) -> int:
        """Predictions that the platform would not record."""
        return self._outbox.refused

    @property
    def hold_up(self) -> str:
        """Why predictions wait, in words; empty while nothing holds them up."""
        if self._outbox.trouble:
            return f"Predictions cannot be kept on disk: {self._outbox.trouble}"
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
        aside = f" {self.failed} more are set aside." if self.failed else ""
        return QueueFullError(
            self._waiting(why) + aside,
            "Send the image again when the platform answers, or without monitoring.",
        )

    def release(self, place: Place) -> None:
        """Give back a place that no prediction was put in; else do nothing."""
        if not place.used:
            self._room.leave(place)
        if self._draining:
            with self._changed:
                self._changed.notify_all()

    def keep(self, record: Record, place: Place) -> Future[int]:
        """Make a prediction durable, in the place that was reserved for it.

        Returns:
            Its bytes on disk, once it is; it is recorded later. NotDurableError where the
            disk does not take it, NotServingError where serving was stopped meanwhile.
        """
        size = len(record.image)
        self._room.keep(place, size)
        kept = self._outbox.put(record)
        kept.add_done_callback(lambda done: self._weigh(done, size))
        return kept

    def _weigh(self, kept: Future[int], size: int) -> None:
        if kept.exception():
            self._room.fill(-1, -size)
        else:
            self._room.fill(0, kept.result() - size)

    def flush(self, timeout_s: float) -> int:
        """Wait until everything is recorded; the number of predictions that are not."""
        with self._changed:
            self._awaited += 1
            self._hurry()
            self._changed.wait_for(lambda: not self.pending, timeout_s)
            self._awaited -= 1
            return self.pending

    def drain(self) -> None:
        """Give out no more room, and record what waits for as long as that gets on.

        Returns after 10 s without progress or 120 s in all, whatever is left.
        """
        self._room.close()
        end = time.monotonic() + DRAIN_S
        with self._changed:
            self._draining = True
            self._awaited += 1
            self._hurry()
            while (left := self._left) and (left_s := end - time.monotonic()) > 0:
                within_s = min(DRAIN_IDLE_S, left_s)
                if not self._changed.wait_for(lambda: self._left < left, within_s):
                    return

    @property
    def _left(self) -> int:
        return self._room.taken + self.pending

    def close(self) -> Outcome:
        """Record nothing more; what became of everything."""
        self._room.close()
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._outbox.close()
        kept, failed = self.pending, self.failed
        return Outcome(self._recorded, kept, failed, self.trouble if kept or failed else "")

    # The recorder's own thread -------------------------------------------------------------

    def _run(self) -> None:
        while (kept := self._outbox.next()) is not None:
            self._give_way()
            why = self._record(kept.record, left=kept.left)
            if why is None:
                return
            self._settle(kept, why)

    def _give_way(self) -> None:
        """Leave the processor to predictions for a moment, while there is room for more."""
        if self._pressure() > 1 and not self._room.is_half_full:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._awaited, GIVE_WAY_S)

    def _settle(self, kept: Kept, why: str) -> None:
        if why:
            self._outbox.set_aside(kept, why)
        else:
            self._outbox.settle(kept)
            self._room.fill(-1, -kept.size)
        with self._changed:
            self._recorded += not why
            self._changed.notify_all()

    def _found(self, held: Held) -> None:
        """Count what an earlier kernel has left; told by the outbox."""
        self._room.fill(held.waiting + held.refused, held.size)

    def _record(self, record: Record, *, left: bool) -> str | None:
        """Try until it is recorded: empty; or why it never will be. None when stopped.

        Args:
            record: the prediction.
            left: an earlier kernel has left it, perhaps after it was sent.
        """
        attempts = refusals = 0
        while not self._closed:
            try:
                prediction_id = self._send(record, again=left or attempts > 0)
            except ConflictError:
                # An earlier attempt's reply was lost.
                return self._went_well(record, record.predicted.prediction_id)
            except PlatformUnreachableError as error:
                self._platform = None
                self._note(record, error)
            except PlatformError as error:
                # It fails, or asks for a pause, or for another token: nothing is wrong with this.
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
        return None

    def _send(self, record: Record, *, again: bool) -> str:
        if self._platform is None:
            self._platform = self._connect()
        return self._platform.monitor(self._deployment_id, record, again=again)

    def _went_well(self, record: Record, prediction_id: str | None) -> str:
        self._trouble = ""
        if prediction_id is not None:
            self._on_recorded(record, prediction_id)
        return ""

    def _was_refused(self, record: Record) -> str:
        why, self._trouble = self._trouble, ""
        self._refusal = f"{record.predicted.source!r} was not recorded: {why}"
        return self._refusal

    def _note(self, record: Record, error: Exception) -> None:
        trouble = str(error) or type(error).__name__
        if trouble != self._trouble:
            _log.warning("%s could not be recorded: %s", record.predicted.source, trouble)
        self._trouble = trouble

    def _waiting(self, why: str) -> str:
        waiting = count(self.pending, "prediction waits", "predictions wait")
        return f"{waiting} to be recorded: {why}"

    def _pause(self, attempts: int) -> None:
        """Wait a little longer after every attempt, unless somebody waits for the outcome."""
        wait_s = _BACKOFF_S[min(attempts, len(_BACKOFF_S) - 1)]
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._hurried, wait_s)
            self._hurried = False

    def _hurry(self) -> None:
        self._hurried = True
        self._changed.notify_all()
