"""Places are given out in order, and none is ever lost."""

import pytest

from picsellia_jupyter.domain.errors import NotServingError
from picsellia_jupyter.recording.room import Room


def test_places_are_granted_in_the_order_they_were_asked_for():
    room = Room(places=1, size=100, line=5)
    first, second, third = (room.ask(1) for _ in range(3))
    assert [place.granted.done() for place in (first, second, third)] == [True, False, False]
    room.leave(first)
    assert (second.granted.done(), third.granted.done()) == (True, False)


def test_bytes_are_bounded_too():
    room = Room(places=10, size=100, line=5)
    first, second = room.ask(60), room.ask(60)
    assert not second.granted.done()
    room.keep(first, 30)
    assert second.granted.done()


def test_what_is_kept_takes_room_until_it_is_freed():
    room = Room(places=2, size=100, line=5)
    room.fill(1, 50)
    first, second, third = room.ask(40), room.ask(1), room.ask(1)
    assert (first.granted.done(), second.granted.done()) == (True, False)
    room.fill(-1, -50)
    assert second.granted.done()
    room.keep(first, 40)
    assert room.taken == 1
    room.fill(-1, -40)
    assert third.granted.done()


def test_a_long_line_takes_nobody_more():
    room = Room(places=1, size=100, line=1)
    room.ask(1)
    assert room.ask(1) is not None
    assert room.ask(1) is None


def test_the_bytes_in_line_are_bounded():
    room = Room(places=1, size=100, line=5)
    room.ask(1)
    assert room.ask(60) is not None
    assert room.ask(60) is None


def test_who_leaves_the_line_or_cancels_is_passed_over():
    room = Room(places=1, size=100, line=5)
    first, second, third, fourth = (room.ask(1) for _ in range(4))
    room.leave(second)
    third.granted.cancel()
    room.leave(first)
    room.leave(first)
    assert fourth.granted.done()
    assert not second.granted.done()
    assert room.taken == 1


def test_a_closed_room_refuses_those_in_line_and_keeps_those_inside():
    room = Room(places=1, size=100, line=5)
    room.ask(1)
    waiting = room.ask(1)
    room.close()
    with pytest.raises(NotServingError):
        waiting.granted.result(0)
    with pytest.raises(NotServingError):
        room.ask(1)
    assert room.taken == 1
