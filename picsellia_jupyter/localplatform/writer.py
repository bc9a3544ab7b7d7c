"""One writer for everybody: changes are applied in turn and made durable together."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from picsellia_jupyter.localplatform.refusals import NotDurableError, is_storage_failure

BATCH_LIMIT = 64
"""Most changes of one transaction."""
BATCH_S = 0.05
"""Seconds after which a transaction takes no more changes."""

Result = TypeVar("Result")


class Writer:
    """Applies changes in a thread of its own, over one connection.

    Making a transaction durable costs one wait for the disk however much is in it, so all
    changes that are waiting go into one. Each has a savepoint of its own: one that fails
    leaves no trace and the others stand. Nobody is answered before the common commit.
    """

    def __init__(self, engine: Engine) -> None:
        """Write through `engine`, whose connections begin transactions that may write."""
        self._engine = engine
        self._waiting: queue.SimpleQueue[_Change[Any] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._in_turn = threading.local()
        self._closing = threading.Lock()
        self._closed = False
        self._thread.start()

    def submit(self, work: Callable[[Session], Result]) -> Future[Result]:
        """Have a change applied.

        Args:
            work: makes the change with the session it is given; called in the writer's
                thread, so it should neither wait nor compute much.

        Returns:
            What `work` returned, once that is durable; or what it raised, with its change
            undone. NotDurableError where the database could not keep it.
        """
        change = _Change(work)
        with self._closing:
            if self._closed:
                raise RuntimeError("the database is closed")
            self._waiting.put(change)
        return change.done

    @contextmanager
    def turn(self) -> Iterator[Session]:
        """A session to make a change with in this thread; durable when the block ends."""
        if getattr(self._in_turn, "is_mine", False):
            raise RuntimeError("this thread is writing already; use the session it has")
        offered: queue.SimpleQueue[Session | None] = queue.SimpleQueue()
        verdict: Future[None] = Future()

        def lend(session: Session) -> None:
            offered.put(session)
            verdict.result()

        done = self.submit(lend)
        done.add_done_callback(lambda _: offered.put(None))
        session = offered.get()
        if session is not None:
            self._in_turn.is_mine = True
            try:
                yield session
            except BaseException as error:
                verdict.set_exception(error)
                done.exception()
                raise
            finally:
                self._in_turn.is_mine = False
            verdict.set_result(None)
        done.result()

    def close(self) -> None:
        """Apply what is waiting, then stop."""
        with self._closing:
            self._closed = True
            self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        while True:
            first = self._waiting.get()
            if first is None or not self._commit_together(first):
                return

    def _commit_together(self, first: _Change[Any]) -> bool:
        """Apply the first change and all that wait; False where the last of all was seen."""
        batch = _Batch(first, self._waiting)
        try:
            with self._engine.begin() as connection:
                for change in batch:
                    change.apply(connection)
                    _check_transaction(connection, change)
        except BaseException as error:  # noqa: BLE001 - handed to everybody it concerns
            for change in batch.taken:
                change.refuse(error)
        else:
            for change in batch.taken:
                change.answer()
        return not batch.is_last


class _Change(Generic[Result]):
    """One change, and whoever waits for it."""

    def __init__(self, work: Callable[[Session], Result]) -> None:
        self.done: Future[Result] = Future()
        # A request that is cancelled cancels what it waits for; the change is made all the same.
        self.done.set_running_or_notify_cancel()
        self.error: BaseException | None = None
        self._work = work
        self._result: Result

    def apply(self, connection: Connection) -> None:
        """Make the change in a savepoint; it is undone if the work fails."""
        try:
            with (
                Session(
                    connection,
                    join_transaction_mode="create_savepoint",
                    expire_on_commit=False,
                ) as session,
                session.begin(),
            ):
                self._result = self._work(session)
        except BaseException as error:  # noqa: BLE001 - raised where the change was submitted
            cause = _first(error)
            self.error = NotDurableError.because(cause) if is_storage_failure(cause) else cause

    def answer(self) -> None:
        """Say how it went; the transaction is durable."""
        if self.error is not None:
            self.done.set_exception(self.error)
        else:
            self.done.set_result(self._result)

    def refuse(self, error: BaseException) -> None:
        """Say that nothing was kept; an own failure of before explains more."""
        self.done.set_exception(self.error or NotDurableError.because(error))


class _Batch:
    """The changes of one transaction, taken from the queue while it is open."""

    def __init__(
        self, first: _Change[Any], waiting: queue.SimpleQueue[_Change[Any] | None]
    ) -> None:
        self.taken = [first]
        self.is_last = False
        self._waiting = waiting

    def __iter__(self) -> Iterator[_Change[Any]]:
        until = time.monotonic() + BATCH_S
        yield self.taken[0]
        while len(self.taken) < BATCH_LIMIT and time.monotonic() < until:
            try:
                change = self._waiting.get_nowait()
            except queue.Empty:
                return
            if change is None:
                self.is_last = True
                return
            self.taken.append(change)
            yield change


def _check_transaction(connection: Connection, change: _Change[Any]) -> None:
    """Notice a transaction that is gone: a full disk makes SQLite undo all of it.

    Raises:
        BaseException: the change's own error, which ended the transaction.
    """
    if change.error is None:
        return
    raw = connection.connection.dbapi_connection if not connection.invalidated else None
    if raw is None or getattr(raw, "in_transaction", True) is False:
        raise change.error


def _first(error: BaseException) -> BaseException:
    """What went wrong before the savepoint was found gone with its whole transaction."""
    while "no such savepoint" in str(error) and error.__context__ is not None:
        error = error.__context__
    return error
