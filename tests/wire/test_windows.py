"""Rows of numbered messages over a connection that breaks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from picsellia_jupyter.wire.windows import (
    WINDOW_BYTES,
    WINDOW_MESSAGES,
    Incoming,
    Outgoing,
)


def test_a_window_is_full_of_bytes_or_of_messages_until_they_are_acknowledged():
    large: Outgoing[str] = Outgoing()
    large.add("a", WINDOW_BYTES)
    small: Outgoing[str] = Outgoing()
    for _ in range(WINDOW_MESSAGES):
        assert small.has_room
        small.add("b", 1)

    assert not large.has_room
    assert not small.has_room
    large.acknowledge(1)
    small.acknowledge(1)
    assert large.has_room
    assert small.has_room
    assert len(small.unacknowledged()) == WINDOW_MESSAGES - 1


def test_a_receiver_says_what_it_used_well_before_the_window_is_full():
    by_bytes, by_messages = Incoming(), Incoming()

    said = [by_bytes.use(WINDOW_BYTES // 16) for _ in range(8)]
    assert said == [False, False, False, True] * 2
    assert [by_messages.use(1) for _ in range(WINDOW_MESSAGES // 2)].count(True) == 2


@given(st.lists(st.integers(0, 3), max_size=60), st.integers(1, 12))
def test_everything_arrives_once_and_in_order_however_often_the_connection_breaks(
    breaks: list[int], count: int
):
    outgoing: Outgoing[int] = Outgoing()
    incoming = Incoming()
    arrived: list[int] = []

    def carry(message: int) -> None:
        # 0: lost on the way; 1: arrives, its acknowledgement is lost; else all is well.
        fate = breaks.pop() if breaks else 3
        if fate and incoming.takes(message):
            arrived.append(message)
            incoming.use(1)
        if fate > 1:
            outgoing.acknowledge(incoming.used)

    for number in range(count):
        outgoing.add(number, 1)
        carry(number)
    while outgoing.unacknowledged():
        for message in outgoing.unacknowledged():
            carry(message)

    assert arrived == list(range(count))
