"""The process that holds the model: `python -m picsellia_jupyter.serving.worker`."""

from __future__ import annotations

import argparse
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from picsellia_jupyter.serving import lifeline, pulse, sandbox, threads
from picsellia_jupyter.serving.channel import Channel, Message

if TYPE_CHECKING:
    from picsellia_jupyter.serving.messages import LoadRequest
    from picsellia_jupyter.serving.pipeline import Pipeline, Predictor


def main(load: Callable[[LoadRequest], Predictor] | None = None) -> None:
    """Answer messages until the channel closes.

    Args:
        load: loads what predicts; `Engine.load` by default.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--pulse", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    sandbox.add_arguments(parser)
    arguments = parser.parse_args()
    sandbox.enter(arguments)
    # No thread before this line: a thread keeps the rights that it was started with.
    lifeline.tie_to_parent(arguments.parent)
    pulse.answer_from_thread(socket.socket(fileno=arguments.pulse))
    worker = Worker(Channel(socket.socket(fileno=arguments.channel)), load)
    threads.guarded(worker.serve)


class Worker:
    """Loads a model when told to, then predicts."""

    def __init__(
        self, channel: Channel, load: Callable[[LoadRequest], Predictor] | None = None
    ) -> None:
        self._channel = channel
        self._load_engine = load
        self._pipeline: Pipeline | None = None
        self._receiving = threading.Lock()
        self._takers = 1
        self._counting = threading.Lock()

    def serve(self) -> None:
        """Take messages in; their answers are sent when they are ready.

        Raises:
            ChannelClosedError: the front is gone.
        """
        while self._pipeline is None:
            self._channel.send(self._load(self._channel.receive()))
        while True:
            self._take_one(self._pipeline)
            self._hire(self._pipeline)

    def _help(self, pipeline: Pipeline) -> None:
        """Take messages for as long as so many threads should."""
        while True:
            self._take_one(pipeline)
            with self._counting:
                if self._takers > pipeline.takers:
                    self._takers -= 1
                    return

    def _take_one(self, pipeline: Pipeline) -> None:
        """Receive a message and see to it, while another thread receives the next one."""
        with self._receiving:
            message = self._channel.receive()
        pipeline.put(message)

    def _hire(self, pipeline: Pipeline) -> None:
        """Have more threads take messages where there should be more."""
        with self._counting:
            while self._takers < pipeline.takers:
                self._takers += 1
                threads.start(f"taker {self._takers}", lambda: self._help(pipeline))

    def _load(self, message: Message) -> Message:
        # Imported here, so that the lifeline is watched while this takes its time.
        from picsellia_jupyter.serving import messages, pipeline
        from picsellia_jupyter.serving.engine import Engine

        try:
            load = self._load_engine or Engine.load
            engine = load(messages.load_request(message.header))
            self._pipeline = pipeline.Pipeline(engine, self._channel)
            self._hire(self._pipeline)
            return messages.loaded_message(engine.loaded, message.id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the front is to be told
            return pipeline.failure(message.id, error, "")


if __name__ == "__main__":
    main()
