from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Iterator

import pytest

from picsellia_jupyter.workflows.shield import shielded


@pytest.fixture(autouse=True)
def stops_are_heard() -> Iterator[None]:
    """A process that was started in the background ignores them."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_what_a_call_makes_comes_back():
    assert shielded(lambda: 42, undo=lambda made: None) == 42


def test_an_error_comes_back_and_there_is_nothing_to_undo():
    undone: list[object] = []

    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        shielded(fail, undo=undone.append)
    assert undone == []


@pytest.mark.parametrize("stops", [1, 3])
def test_a_stop_waits_for_the_call_and_undoes_what_it_made(stops: int):
    undone: list[str] = []
    finished = threading.Event()

    def slow() -> str:
        for _ in range(stops):
            _thread.interrupt_main()
            threading.Event().wait(0.15)
        finished.set()
        return "a kernel"

    with pytest.raises(KeyboardInterrupt):
        shielded(slow, undo=undone.append)

    assert finished.is_set()
    assert undone == ["a kernel"]
