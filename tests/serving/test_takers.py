"""How many threads of a worker take photos."""

import contextlib
import socket
import threading
from pathlib import Path

import pytest

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving import capacity, messages, threads
from picsellia_jupyter.serving.channel import Channel
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.worker import Worker
from tests.serving.engines import Engine


@contextlib.contextmanager
def worker_on(cores, monkeypatch):
    """Have a worker see to photos in a thread of this process; how many other threads take them."""
    monkeypatch.setattr(capacity, "cores", lambda: cores)
    before = set(threading.enumerate())
    ours, theirs = socket.socketpair()
    channel, worker = Channel(ours), Worker(Channel(theirs), Engine.load)

    def ask(*words):
        for word in words:
            channel.send(messages.predict_message(word.encode(), "a.jpg", record=False))
        for _ in words:
            channel.receive()
        return sum(one.name.startswith("taker") for one in set(threading.enumerate()) - before)

    with ours, theirs:
        threads.start("worker", worker.serve)
        channel.send(messages.load_message(LoadRequest(Path("m"), None, InferenceType.POINT)))
        channel.receive()
        yield ask
        channel.close()


def test_a_fast_model_has_one_thread_a_slow_one_two(monkeypatch):
    with worker_on(2, monkeypatch) as ask:
        assert ask(*["fine"] * 20) == 0
        assert ask(*["sleep:0.05"] * 4) == 1
        # Whichever thread takes one of these finds that it is not needed any more.
        assert any(ask("fine") == 0 for _ in range(500))


@pytest.mark.parametrize(("cores", "others"), [(capacity.MOST, 0), (capacity.MOST + 1, 1)])
def test_with_cores_to_spare_a_photo_is_decoded_while_the_model_runs(cores, others, monkeypatch):
    with worker_on(cores, monkeypatch) as ask:
        assert ask(*["fine"] * 20) == others
