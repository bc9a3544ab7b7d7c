"""Whether a worker still moves."""

import select
import socket

from picsellia_jupyter.serving import pulse
from picsellia_jupyter.serving.pulse import Pulse


def test_a_worker_that_answers_misses_no_beat():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        pulse.answer_from_thread(theirs)
        heart = Pulse(ours)
        for _ in range(3):
            heart.beat()
            assert select.select([ours], [], [], 10)[0]
        heart.beat()
        assert heart.missed == 0


def test_a_silent_worker_misses_every_beat_after_the_first():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        heart = Pulse(ours)
        for _ in range(4):
            heart.beat()
        assert heart.missed == 3


def test_an_answer_that_comes_late_makes_good_for_what_was_missed():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        heart = Pulse(ours)
        for _ in range(3):
            heart.beat()
        assert theirs.recv(64) == b"."  # asked once, not three times
        theirs.send(b".")
        heart.beat()
        assert heart.missed == 0


def test_a_worker_that_is_gone_breaks_nothing():
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        heart = Pulse(ours)
        for _ in range(3):
            heart.beat()
