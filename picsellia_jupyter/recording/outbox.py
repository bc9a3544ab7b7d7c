"""What is to be recorded, on disk before anybody is told so, until it is recorded."""

from __future__ import annotations

import collections
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from picsellia_jupyter.domain.errors import NotServingError, ServingError
from picsellia_jupyter.recording import records
from picsellia_jupyter.recording.records import Record
from picsellia_jupyter.recording.spool import Changes, Held, Row, Spool

ADOPT_S = 30.0
"""How often spools are looked for whose owners are gone, and a broken disk is tried again."""
_TOGETHER, _TOGETHER_BYTES = 64, 32 * 1024 * 1024
"""Most changes of one transaction."""
_RECENT, _RECENT_BYTES = 64, 16 * 1024 * 1024
"""Most that is kept in memory too, so that it need not be read again."""
_READ, _READ_BYTES = 16, 8 * 1024 * 1024
"""What is read at once."""
_TIDY, _TIDY_S = 64, 0.25
"""What is recorded is removed with the next that comes, or after so many, or so long."""
_GATHER_S = 0.02
"""How long one waits for others to share its commit, while more are coming than can be served."""
_MANY = 2
"""Photos under way for each worker; over it no worker runs dry while one waits."""
_OPEN_S, _CLOSE_S = 5.0, 20.0

_log = logging.getLogger(__name__)


class NotDurableError(ServingError):
    """The disk does not take a prediction, so that it cannot be promised to be recorded."""


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A prediction that is on disk."""

    seq: int
    record: Record
    size: int
    """Bytes on disk."""
    left: bool = False
    """Whether an earlier owner may have left it, perhaps after it was sent."""


@dataclass(frozen=True, slots=True, eq=False)
class _Put:
    record: Record
    done: Future[int] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Gone:
    seq: int


@dataclass(frozen=True, slots=True)
class _Refused:
    seq: int
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    after: int
    done: Future[list[Row]] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class _Adopt:
    """Look for spools whose owners are gone."""


@dataclass(frozen=True, slots=True)
class _Tidy:
    """Write down what is recorded and what is refused."""


_Wish = _Put | _Read | _Adopt | _Tidy


class Outbox:
    """The predictions of one deployment on their way, kept by a thread of its own.

    Making a change durable costs one wait for the disk however much is in it, so all that wait
    go into one. Any number of threads may put something in; one takes it out.
    """

    def __init__(
        self,
        folder: Path,
        found: Callable[[Held], None] = lambda _held: None,
        pressure: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """Take up what an earlier owner left in a folder, and begin to keep.

        Args:
            folder: of the deployment.
            found: told of everything that was left there, also later on.
            pressure: photos under way for each worker, from any thread; over 2, one may wait for
                others, while no worker runs dry.
        """
        self.folder = folder
        self.trouble = ""
        """Why the disk takes nothing; empty while it does."""
        self._found = found
        self._pressure = pressure
        self._spool: Spool | None = None
        self._wishes: queue.SimpleQueue[_Wish | None] = queue.SimpleQueue()
        # The latter is set when what waits for others should wait no longer.
        self._gathering, self._ripe = False, threading.Event()
        self._recent: collections.deque[Kept] = collections.deque()
        self._ahead: collections.deque[Kept] = collections.deque()
        self._recent_in = self._recent_out = 0
        self._behind = False
        """Whether there is something on disk after what is in memory."""
        self._next = 1
        self._left_until = 0
        """The last that an earlier owner may have left."""
        self._at = 0
        self._settling: collections.deque[_Gone | _Refused] = collections.deque()
        self._owed: list[_Gone | _Refused] = []
        # Each is counted by one thread alone, or under the lock.
        self._put = self._left = self._undone = self._settled = 0
        self._refused_before = self._refused_now = 0
        self._begun = threading.Event()
        self._news = threading.Event()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()
        self._begun.wait(_OPEN_S)

    @property
    def waiting(self) -> int:
        """How many are to be recorded."""
        return self._put + self._left - self._undone - self._settled

    @property
    def refused(self) -> int:
        """How many are set aside."""
        return self._refused_before + self._refused_now

    def put(self, record: Record) -> Future[int]:
        """Keep a prediction.

        Returns:
            Its bytes on disk, once it is durable. NotDurableError where the disk does not take it,
            NotServingError where this is closed.
        """
        put = _Put(record)
        # Whoever waits for it may go away; it is kept all the same.
        put.done.set_running_or_notify_cancel()
        with self._closing:
            if not self._closed:
                self._put += 1
                self._wishes.put(put)
                if self._gathering and self._pressure() <= _MANY:
                    self._ripe.set()
                return put.done
        put.done.set_exception(
            NotServingError(
                "Serving was stopped before this prediction could be recorded.",
                "Deploy the model again, then send the image again.",
            )
        )
        return put.done

    def next(self) -> Kept | None:
        """Wait for the next one, in order; None once this is closed. For one thread."""
        while not self._closed:
            self._news.clear()
            if kept := self._look():
                self._at = kept.seq
                return kept
            if not self._news.wait(_TIDY_S if self._settling else ADOPT_S):
                self._wish(_Tidy() if self._settling else _Adopt())
        return None

    def settle(self, kept: Kept) -> None:
        """Remove one that is recorded."""
        self._settled += 1
        self._settling.append(_Gone(kept.seq))
        if len(self._settling) >= _TIDY:
            self._wish(_Tidy())

    def set_aside(self, kept: Kept, why: str) -> None:
        """Keep one that the platform will not have, with the reason; it is not taken again."""
        self._refuse(kept.seq, why)

    def close(self) -> None:
        """Finish what is under way and let go of the spool; what is in it stays."""
        with self._closing:
            self._closed = True
            self._wishes.put(None)
        self._ripe.set()
        self._news.set()
        self._thread.join(_CLOSE_S)

    # The thread that takes out -------------------------------------------------------------

    def _look(self) -> Kept | None:
        while self._behind and not self._ahead and not self._recent:
            rows = self._read()
            self._ahead.extend(kept for row in rows if (kept := self._readable(row)))
            if not rows:
                return None
        if self._ahead:
            return self._ahead.popleft()
        if self._recent:
            kept = self._recent.popleft()
            self._recent_out += kept.size
            return kept
        return None

    def _read(self) -> list[Row]:
        wish = _Read(self._at)
        return wish.done.result() if self._wish(wish) else []

    def _readable(self, row: Row) -> Kept | None:
        try:
            left = row.seq <= self._left_until
            return Kept(row.seq, records.read(row.spelling), row.spelling.size, left)
        except Exception as error:  # noqa: BLE001 - one row must not hold up the others
            why = f"It cannot be read ({type(error).__name__}: {error})."
            self._at = row.seq
            self._refuse(row.seq, why)
            return None

    def _refuse(self, seq: int, why: str) -> None:
        self._settled += 1
        self._refused_now += 1
        self._settling.append(_Refused(seq, why))
        self._wish(_Tidy())

    def _wish(self, wish: _Wish) -> bool:
        """Have something done; False where nothing is done any more."""
        with self._closing:
            if not self._closed:
                self._wishes.put(wish)
                self._ripe.set()
            return not self._closed

    # The thread that keeps -----------------------------------------------------------------

    def _run(self) -> None:
        self._grant([])
        self._begun.set()
        last = False
        while not last:
            wishes, last = self._together()
            self._grant(wishes)
        if self._spool is not None:
            held = self._spool.held()
            self._spool.close(remove=not held.waiting and not held.refused)

    def _together(self) -> tuple[list[_Wish], bool]:
        """Wait for something to do; all that waits then, and whether it is the last."""
        self._ripe.clear()
        wishes, size = list[_Wish](), 0
        wish = self._wishes.get()
        if isinstance(wish, _Put):
            self._gather()
        while wish is not None:
            wishes.append(wish)
            size += len(wish.record.image) if isinstance(wish, _Put) else 0
            if len(wishes) >= _TOGETHER or size >= _TOGETHER_BYTES:
                return wishes, False
            try:
                wish = self._wishes.get_nowait()
            except queue.Empty:
                return wishes, False
        return wishes, True

    def _gather(self) -> None:
        """Under load, wait for more; those that come do not wake this thread one by one."""
        self._gathering = True
        if self._pressure() > _MANY:
            self._ripe.wait(_GATHER_S)
        self._gathering = False

    def _grant(self, wishes: Sequence[_Wish]) -> None:
        """Do what is wished in one transaction, and then say so."""
        puts = [wish for wish in wishes if isinstance(wish, _Put)]
        while self._settling:
            self._owed.append(self._settling.popleft())
        try:
            spool = self._opened(look=any(isinstance(wish, _Adopt) for wish in wishes))
            added = self._change(spool, puts)
        except Exception as error:  # noqa: BLE001 - told to everybody it concerns
            self._fail(puts, error)
        else:
            self.trouble = ""
            self._publish(added)
        for wish in wishes:
            if isinstance(wish, _Read):
                wish.done.set_result(self._after(wish.after))

    def _opened(self, *, look: bool) -> Spool:
        spool = self._spool
        if spool is None:
            spool = self._spool = Spool.of(self.folder)
            self._take_up(spool.held())
            self._next = spool.last + 1
            self._left_until = spool.last
            look = True
        if look:
            held = spool.adopt(self._next - 1)
            self._next = max(self._next, spool.last + 1)
            if held.waiting:
                self._left_until = self._next - 1
            self._take_up(held)
        return spool

    def _take_up(self, held: Held) -> None:
        self._left += held.waiting
        self._refused_before += held.refused
        if held.waiting or held.refused:
            self._found(held)
        if held.waiting:
            self._behind = True
            self._news.set()

    def _change(self, spool: Spool, puts: Sequence[_Put]) -> list[tuple[_Put, Row]]:
        added = [pair for put in puts if (pair := self._placed(put))]
        gone = [wish.seq for wish in self._owed if isinstance(wish, _Gone)]
        refused = [(wish.seq, wish.why) for wish in self._owed if isinstance(wish, _Refused)]
        if added or gone or refused:
            spool.change(Changes([row for _, row in added], gone, refused))
            self._owed.clear()
        return added

    def _placed(self, put: _Put) -> tuple[_Put, Row] | None:
        try:
            row = Row(self._next, records.spell(put.record))
        except Exception as error:  # noqa: BLE001 - it fails this one alone
            self._fail([put], error)
            return None
        self._next += 1
        return put, row

    def _publish(self, added: Sequence[tuple[_Put, Row]]) -> None:
        for put, row in added:
            size = row.spelling.size
            held = self._recent_in - self._recent_out
            full = len(self._recent) >= _RECENT or held + size > _RECENT_BYTES
            self._behind = self._behind or full
            if not self._behind:
                self._recent_in += size
                self._recent.append(Kept(row.seq, put.record, size))
            put.done.set_result(size)
        if added:
            self._news.set()

    def _fail(self, puts: Sequence[_Put], error: Exception) -> None:
        if isinstance(error, OSError | sqlite3.Error):
            if str(error) != self.trouble:
                _log.error("Nothing can be kept in %s: %s", self.folder, error)
            self.trouble = str(error)
            error = NotDurableError(
                f"The prediction could not be kept on disk ({type(error).__name__}).",
                "Make room on the disk of its spool, or send the image without monitoring.",
            )
        for put in puts:
            if not put.done.done():
                self._undone += 1
                put.done.set_exception(error)

    def _after(self, seq: int) -> list[Row]:
        if self._spool is None:
            return []
        try:
            rows, all_read = self._spool.after(seq, rows=_READ, size=_READ_BYTES)
        except sqlite3.Error as error:
            self._fail([], error)
            return []
        self._behind = not all_read
        return rows
