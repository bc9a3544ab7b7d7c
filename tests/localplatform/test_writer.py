"""Changes that are made durable together, and fail alone."""

import sqlite3
import threading
import time

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import OperationalError

from picsellia_jupyter.localplatform.refusals import NotDurableError
from picsellia_jupyter.localplatform.store import Store
from picsellia_jupyter.localplatform.tables.datalakes import DataSource


@pytest.fixture
def store(tmp_path):
    made = Store(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    yield made
    made.close()


@pytest.fixture
def commits(store):
    seen = []
    event.listen(store._writing_engine, "commit", seen.append)
    return seen


def named(name):
    return lambda session: session.add(DataSource(name=name, created_at=1.0))


def names(store):
    with store.reading() as session:
        return sorted(session.scalars(select(DataSource.name)))


def held_up(store, changes):
    """Submit changes while the writer is busy, so that they come as one batch."""
    go_on = threading.Event()
    first = store.submit(lambda _session: go_on.wait(10))
    waiting = [store.submit(change) for change in changes]
    go_on.set()
    first.exception(10)
    return waiting


def test_changes_that_wait_are_committed_together(store, commits):
    for done in held_up(store, [named(f"n{k}") for k in range(20)]):
        done.result(10)
    assert len(commits) <= 2
    assert len(names(store)) == 20


def test_one_that_fails_leaves_no_trace_and_the_others_stand(store):
    def failing(session):
        session.add(DataSource(name="half", created_at=1.0))
        session.flush()
        raise LookupError("not this one")

    before, wrong, after = held_up(store, [named("before"), failing, named("after")])
    assert (before.result(10), after.result(10)) == (None, None)
    with pytest.raises(LookupError, match="not this one"):
        wrong.result(10)
    assert names(store) == ["after", "before"]


def test_one_that_breaks_a_rule_of_the_database_fails_alone(store):
    first, again, other = held_up(store, [named("a"), named("a"), named("b")])
    assert first.result(10) is None
    with pytest.raises(Exception, match="UNIQUE"):
        again.result(10)
    assert other.result(10) is None
    assert names(store) == ["a", "b"]


def test_nobody_is_answered_before_the_commit(store):
    answered_early = []
    go_on = threading.Event()

    @event.listens_for(store._writing_engine, "commit")
    def committing(_connection):
        go_on.wait(10)
        answered_early.extend(done.done() for done in waiting)

    waiting = [store.submit(named("a")), store.submit(named("b"))]
    go_on.set()
    for done in waiting:
        done.result(10)
    assert answered_early
    assert answered_early[0] is False
    assert answered_early[-1] is False


def test_a_transaction_that_the_database_ended_is_refused_to_all_of_it(store):
    def ending(session):
        session.connection().connection.driver_connection.execute("ROLLBACK")
        full = sqlite3.OperationalError("database or disk is full")
        raise OperationalError("INSERT", {}, full)

    before, _ending, after = held_up(store, [named("before"), ending, named("after")])
    with pytest.raises(NotDurableError, match="disk is full"):
        before.result(10)
    after.result(10)
    assert names(store) == ["after"]


def test_a_commit_that_fails_is_refused_and_the_next_one_goes_well(store):
    failing = threading.Event()
    failing.set()

    @event.listens_for(store._writing_engine, "commit")
    def committing(connection):
        if failing.is_set():
            connection.exec_driver_sql("SELECT nothing FROM nowhere")

    with pytest.raises(NotDurableError), store.writing() as session:
        session.add(DataSource(name="lost", created_at=1.0))
    failing.clear()
    with store.writing() as session:
        session.add(DataSource(name="kept", created_at=1.0))
    assert names(store) == ["kept"]


def test_a_block_that_fails_is_undone(store):
    def half():
        with store.writing() as session:
            session.add(DataSource(name="half", created_at=1.0))
            session.flush()
            raise KeyError

    with pytest.raises(KeyError):
        half()
    assert names(store) == []


def test_blocks_see_each_others_changes_in_turn(store):
    def count():
        for _ in range(25):
            with store.writing() as session:
                row = session.get(DataSource, "counter")
                row.created_at += 1

    with store.writing() as session:
        session.add(DataSource(id="counter", name="counter", created_at=0.0))
    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with store.reading() as session:
        assert session.get(DataSource, "counter").created_at == 200


def test_a_block_in_a_block_is_refused_instead_of_waiting_for_itself(store):
    with store.writing(), pytest.raises(RuntimeError, match="writing already"), store.writing():
        pass


def test_closing_keeps_what_was_submitted(store, tmp_path):
    done = [store.submit(named(f"n{k}")) for k in range(50)]
    store.close()
    assert all(one.done() and one.exception() is None for one in done)
    with pytest.raises(RuntimeError, match="closed"):
        store.submit(named("late"))


def test_readers_are_not_kept_waiting_by_a_writer(store):
    with store.writing() as session:
        session.add(DataSource(name="unseen", created_at=1.0))
        session.flush()
        begun = time.monotonic()
        assert names(store) == []
        assert time.monotonic() - begun < 5


def test_sqlite_waits_for_the_disk_and_readers_never_checkpoint(store):
    with store._writing_engine.connect() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    with store.reading() as session:
        assert session.execute(text("PRAGMA wal_autocheckpoint")).scalar() == 0
        assert session.execute(text("PRAGMA query_only")).scalar() == 1


def test_a_caller_who_no_longer_waits_does_not_end_the_writer(store):
    gone, other = held_up(store, [named("gone"), named("other")])
    assert gone.cancel() is False
    other.result(10)
    waiting = store.submit(named("cancelled at once"))
    assert waiting.cancel() is False
    waiting.result(10)
    assert names(store) == ["cancelled at once", "gone", "other"]
