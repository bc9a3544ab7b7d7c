"""Takes predictions over from threads that must not wait, and has them kept on disk."""

from __future__ import annotations

import logging
import os
import queue
import random
import threading
import time
import uuid
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from picsellia_jupyter.domain.counting import count
from picsellia_jupyter.domain.errors import NotServingError
from picsellia_jupyter.recording.recorder import Outcome, Recorder
from picsellia_jupyter.recording.records import Record
from picsellia_jupyter.recording.room import Place, QueueFullError

IN_HAND, IN_HAND_BYTES = 2_000, 512 * 1024 * 1024
"""Most that is held in memory, before it is on disk."""
_STUCK_S = 20.0
"""An end gives up on what is in hand after so long without one of it kept."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many predictions of this process are where."""

    in_hand: int = 0
    """Not on disk yet."""
    waiting: int = 0
    """On disk, to be recorded; with what earlier processes left."""
    recorded: int = 0
    refused: int = 0
    """Set aside: the platform will not have them."""
    dropped: int = 0
    """There was no room for them."""
    lost: int = 0
    """They could not be written down, or the disk did not take them."""
    trouble: str = ""
    """Why some wait; empty while nothing holds them up."""


@dataclass(frozen=True, slots=True, eq=False)
class _Draft:
    write: Callable[[], Record]
    size: int
    place: Place
    kept: Future[None] = field(default_factory=Future)


class Keeper:
    """Hands predictions from any number of threads to a recorder, by a thread of its own.

    A process that is forked off begins anew, with a spool of its own, when it first hands
    something over; it never touches its parent's.
    """

    def __init__(self, begin: Callable[[], Recorder]) -> None:
        """Begin to record.

        Args:
            begin: makes a recorder for the process that calls it.
        """
        self._begin = begin
        self._parents: list[Recorder] = []
        """Of processes that this one was forked off: closing their files would harm them."""
        self._start_anew()
        with self._changed:
            self._started()
        own = weakref.WeakMethod(self._forked)
        os.register_at_fork(after_in_child=lambda: (of := own()) and of())

    def _start_anew(self) -> None:
        self._changed = threading.Condition()
        self._drafts: queue.SimpleQueue[_Draft | None] = queue.SimpleQueue()
        self._recorder: Recorder | None = None
        self._thread: threading.Thread | None = None
        self._in_hand = self._bytes = self._dropped = self._lost = 0
        self._outcome: Outcome | None = None
        # Not uuid4: reading the system's randomness lets go of the interpreter's lock, and whoever
        # predicts would wait for the other threads to give it back. Never a user's seed.
        self._chance = random.Random(os.urandom(32))  # noqa: S311 - ids, no secrets

    def new_id(self) -> str:
        """An id that no other prediction has."""
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def _forked(self) -> None:
        if self._recorder is not None:
            self._parents.append(self._recorder)
        self._start_anew()

    @property
    def counts(self) -> Counts:
        """How many are where."""
        recorder = self._recorder
        if recorder is None:
            return Counts()
        return Counts(
            self._in_hand,
            recorder.pending,
            recorder.recorded,
            recorder.failed,
            self._dropped,
            self._lost,
            recorder.hold_up or recorder.trouble,
        )

    def hand_over(self, write: Callable[[], Record], size: int) -> Future[None]:
        """Have a prediction kept, without waiting for a disk or a network.

        Args:
            write: makes the record, in another thread; it may take its time.
            size: bytes that it takes, in memory and at most on disk.

        Returns:
            Done once the prediction is on disk; fails where it cannot be.

        Raises:
            QueueFullError: there is no room.
            NotServingError: this is closed.
        """
        with self._changed:
            if self._outcome is not None:
                raise NotServingError(
                    "This monitor is closed; it keeps nothing more.",
                    "Make a new one: picsellia_jupyter.monitor(…).",
                )
            draft = _Draft(write, size, self._room(size))
            draft.kept.set_running_or_notify_cancel()
            self._in_hand += 1
            self._bytes += size
            self._drafts.put(draft)
        return draft.kept

    def count_dropped(self) -> int:
        """Count one that there was no room for; how many there are now."""
        with self._changed:
            self._dropped += 1
            return self._dropped

    def flush(self, timeout_s: float) -> int:
        """Wait until everything that was handed over is recorded; the number that is not."""
        end = time.monotonic() + timeout_s
        with self._changed:
            recorder = self._recorder
            if recorder is None or self._outcome is not None:
                return self.counts.waiting
            self._changed.wait_for(lambda: not self._in_hand, timeout_s)
        left = recorder.flush(max(0.0, end - time.monotonic()))
        return left + self._in_hand

    def close(self, timeout_s: float) -> Outcome:
        """Put everything in hand on disk, and record what can be within a time; what is left."""
        with self._changed:
            if self._outcome is not None:
                return self._outcome
            self._outcome = Outcome()
            recorder, thread = self._recorder, self._thread
            self._drafts.put(None)
        if recorder is not None and thread is not None:
            self._see_off(thread)
            recorder.flush(timeout_s)
            self._outcome = recorder.close()
        return self._outcome

    def _see_off(self, thread: threading.Thread) -> None:
        """Let everything in hand get to the disk, for as long as that gets on."""
        with self._changed:
            while left := self._in_hand:
                if not self._changed.wait_for(lambda left=left: self._in_hand < left, _STUCK_S):  # type: ignore[misc]
                    return
        thread.join(_STUCK_S)

    def _room(self, size: int) -> Place:
        recorder = self._started()
        if self._in_hand >= IN_HAND or self._bytes + size > IN_HAND_BYTES:
            raise QueueFullError(
                f"{self._in_hand} predictions wait for the disk already"
                f"{': ' + recorder.hold_up if recorder.hold_up else '.'}",
                "Send fewer at once, or look at the disk of the data directory.",
            )
        place = recorder.reserve(size)
        if not place.granted.done():
            recorder.release(place)
            raise QueueFullError(
                f"The spool is full. {recorder.full().fact}",
                "Make room when the platform answers again; see: picsellia-jupyter spool list",
            )
        return place

    def _started(self) -> Recorder:
        """The recorder of this process; a forked one makes its own here."""
        if self._recorder is None:
            self._recorder = self._begin()
            self._thread = threading.Thread(
                target=self._keep, args=(self._recorder,), name="keeper", daemon=True
            )
            self._thread.start()
        return self._recorder

    # The keeper's own thread ---------------------------------------------------------------

    def _keep(self, recorder: Recorder) -> None:
        while (draft := self._drafts.get()) is not None:
            try:
                kept = recorder.keep(draft.write(), draft.place)
            except Exception as error:  # noqa: BLE001 - one must not end the thread
                recorder.release(draft.place)
                self._settle(draft, error)
            else:
                kept.add_done_callback(
                    lambda done, draft=draft: self._settle(draft, done.exception())  # type: ignore[misc]
                )

    def _settle(self, draft: _Draft, error: BaseException | None) -> None:
        with self._changed:
            self._in_hand -= 1
            self._bytes -= draft.size
            self._lost += error is not None
            lost = self._lost
            if not self._in_hand or self._outcome is not None:
                self._changed.notify_all()
        if error is None:
            draft.kept.set_result(None)
            return
        if is_power_of_ten(lost):
            _log.error("%s could not be kept on disk so far: %s", count(lost, "prediction"), error)
        draft.kept.set_exception(error)


def is_power_of_ten(count: int) -> bool:
    """Whether it is worth a line in a log: the first, the tenth, the hundredth, …."""
    return str(count).strip("0") == "1"
