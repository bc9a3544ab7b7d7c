"""The process that holds the model: `python -m picsellia_jupyter.serving.worker`."""

from __future__ import annotations

import argparse
import socket
import sys
import traceback
from typing import TYPE_CHECKING

from picsellia_jupyter.domain.errors import PicselliaJupyterError, ServingError
from picsellia_jupyter.serving import lifeline
from picsellia_jupyter.serving.channel import Channel, ChannelClosedError, Message

if TYPE_CHECKING:
    from picsellia_jupyter.serving.engine import Engine


def main() -> None:
    """Answer messages until the channel closes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--channel", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    lifeline.tie_to_parent(arguments.parent)
    channel = Channel(socket.socket(fileno=arguments.channel))
    worker = Worker()
    try:
        while True:
            channel.send(worker.answer(channel.receive()))
    except ChannelClosedError:
        return


class Worker:
    """Loads a model when told to, then predicts."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def answer(self, message: Message) -> Message:
        """The reply to one message; whatever goes wrong is told, not raised."""
        from picsellia_jupyter.serving import messages

        try:
            return self._answer(message)
        except PicselliaJupyterError as error:
            return messages.error_message(error)
        except Exception as error:  # noqa: BLE001 - one image's failure must not end the worker
            traceback.print_exc(file=sys.stderr)
            name = message.header.get("name")
            told = ServingError(
                f"The model failed{f' on {name!r}' if name else ''}: {_first_line(error)}",
                "The worker's log tells more: its last lines are in the deployment's status.",
            )
            return messages.error_message(told)

    def _answer(self, message: Message) -> Message:
        # Imported here, so that the lifeline is watched while this takes its time.
        from picsellia_jupyter.serving import messages
        from picsellia_jupyter.serving.engine import Engine

        header = message.header
        if header["op"] == "load":
            self._engine = Engine.load(messages.load_request(header))
            return messages.loaded_message(self._engine.loaded)
        if self._engine is None:
            raise ServingError("No model is loaded.")
        if header["op"] == "infer":
            return messages.tensors_message(self._engine.infer(messages.tensors_of(message)))
        found = self._engine.predict(message.body, header["name"], record=header["record"])
        return messages.reply_message(found)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


if __name__ == "__main__":
    main()
