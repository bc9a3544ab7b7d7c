"""The process that holds the model: `python -m picsellia_jupyter.serving.worker`."""

from __future__ import annotations

import argparse
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from picsellia_jupyter.serving import lifeline, pulse
from picsellia_jupyter.serving.channel import Channel, ChannelClosedError, Message

if TYPE_CHECKING:
    from picsellia_jupyter.serving.messages import LoadRequest
    from picsellia_jupyter.serving.pipeline import Pipeline, Predictor

_DECODERS = 8
"""Threads that decode photos for an accelerator, at most one a core."""


def main(load: Callable[[LoadRequest], Predictor] | None = None) -> None:
    """Answer messages until the channel closes.

    Args:
        load: loads what predicts; `Engine.load` by default.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--pulse", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    # No thread before this line: a thread keeps the rights that it was started with.
    lifeline.tie_to_parent(arguments.parent)
    pulse.answer_from_thread(socket.socket(fileno=arguments.pulse))
    worker = Worker(Channel(socket.socket(fileno=arguments.channel)), load)
    try:
        worker.serve()
    except ChannelClosedError:
        return


class Worker:
    """Loads a model when told to, then predicts."""

    def __init__(
        self, channel: Channel, load: Callable[[LoadRequest], Predictor] | None = None
    ) -> None:
        self._channel = channel
        self._load_engine = load
        self._pipeline: Pipeline | None = None

    def serve(self) -> None:
        """Take messages in; their answers are sent when they are ready.

        Raises:
            ChannelClosedError: the front is gone.
        """
        while True:
            message = self._channel.receive()
            if message.header["op"] == "load":
                self._channel.send(self._load(message))
            elif self._pipeline:
                self._pipeline.put(message)

    def _load(self, message: Message) -> Message:
        # Imported here, so that the lifeline is watched while this takes its time.
        from picsellia_jupyter.serving import messages, pipeline
        from picsellia_jupyter.serving.engine import Engine

        try:
            load = self._load_engine or Engine.load
            engine = load(messages.load_request(message.header))
            decoders = _decoders(engine.loaded.device)
            self._pipeline = pipeline.Pipeline(engine, self._channel, decoders=decoders)
            return messages.loaded_message(engine.loaded, message.id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the front is to be told
            return pipeline.failure(message.id, error, "")


def _decoders(device: str) -> int:
    """Threads that decode photos; on the CPU itself, reading them and decoding take turns."""
    return 0 if device == "cpu" else min(_DECODERS, os.cpu_count() or 1)


if __name__ == "__main__":
    main()
