"""Whoever hands a prediction over waits for nothing; what is in hand gets to the disk."""

import threading
import uuid

import pytest

from picsellia_jupyter.domain.errors import NotServingError, PlatformUnreachableError
from picsellia_jupyter.recording import keeper as keepers
from picsellia_jupyter.recording.keeper import Keeper
from picsellia_jupyter.recording.recorder import Recorder
from tests.recording.test_outbox import record


def nobody():
    raise PlatformUnreachableError("Nobody answers.")


@pytest.fixture
def keeper(tmp_path):
    made = Keeper(lambda: Recorder(nobody, "d", tmp_path / "spool" / "d"))
    yield made
    made.close(0)


@pytest.fixture
def gate():
    """What the writing of `slowly` waits for."""
    made = threading.Event()
    yield made
    made.set()


def slowly(gate, name):
    def write():
        gate.wait(30)
        return record(name)

    return write


def test_an_end_waits_until_everything_in_hand_is_on_disk(keeper, gate):
    kept = [keeper.hand_over(slowly(gate, name), 9) for name in "abc"]
    ended = []
    closer = threading.Thread(target=lambda: ended.append(keeper.close(0)))
    closer.start()
    assert keeper.counts.in_hand == 3
    gate.set()
    closer.join(30)
    assert [one.result(0) for one in kept] == [None] * 3
    assert ended[0].kept == 3


def test_an_end_gives_up_on_what_does_not_get_on_and_counts_it(keeper, gate, monkeypatch):
    monkeypatch.setattr(keepers, "_STUCK_S", 0.01)
    kept = keeper.hand_over(slowly(gate, "a"), 9)
    assert keeper.close(0).kept == 0
    gate.set()
    assert isinstance(kept.exception(30), NotServingError)
    assert keeper.counts.lost == 1


def test_one_that_cannot_be_written_down_fails_alone_and_gives_its_room_back(keeper):
    def broken():
        raise ValueError("no image")

    bad, good = keeper.hand_over(broken, 9), keeper.hand_over(lambda: record("good"), 9)
    assert str(bad.exception(30)) == "no image"
    assert good.result(30) is None
    counts = keeper.counts
    assert (counts.in_hand, counts.waiting, counts.lost) == (0, 1, 1)
    assert keeper._recorder._room.taken == 0


def test_ids_are_uuids_that_differ_whatever_a_user_seeds(keeper):
    import random

    random.seed(1)
    first = keeper.new_id()
    random.seed(1)
    second = keeper.new_id()
    assert first != second
    assert uuid.UUID(first).version == 4


@pytest.mark.parametrize(("count", "worth"), [(1, True), (2, False), (10, True), (110, False)])
def test_the_first_the_tenth_and_the_hundredth_are_worth_a_line(count, worth):
    assert keepers.is_power_of_ten(count) is worth
