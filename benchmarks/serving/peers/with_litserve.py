"""LitServe: `python -m benchmarks.serving.peers.with_litserve FOLDER PORT [--batch N]`."""

# No postponed annotations here: LitServe compares the request's type with classes.

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import litserve
from fastapi import Request, Response

from benchmarks.serving import limit


class Detector(litserve.LitAPI):  # type: ignore[misc]
    """The engine, with LitServe's own hooks."""

    def __init__(self, folder: Path, **batching: Any) -> None:
        super().__init__(api_path="/predict", **batching)
        self._folder = folder
        self._predict: Callable[[bytes], bytes] | None = None

    def setup(self, device: str) -> None:
        """Load the model; each worker does."""
        del device
        self._engine = limit.engine_of(self._folder)

    def decode_request(self, request: Request) -> Any:
        """From the form to the model's input."""
        form: Any = request  # which it has read already
        return self._engine.prepare(form["media"].file.read(), "photo.jpg", record=False)

    def predict(self, x: Any) -> Any:
        """One input or, with batching, a list of them; on the CPU they are run one by one."""
        batch = x if isinstance(x, list) else [x]
        found = [self._engine.run([one])[0] for one in batch]
        return found if isinstance(x, list) else found[0]

    def batch(self, inputs: list[Any]) -> list[Any]:
        """Leave them a list."""
        return inputs

    def unbatch(self, output: list[Any]) -> list[Any]:
        """They are a list."""
        return output

    def encode_response(self, output: Any) -> Response:
        """The boxes as JSON."""
        return Response(limit.answer(output), media_type="application/json")


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--batch", type=int, default=1)
    given = parser.parse_args()
    batching = {"max_batch_size": given.batch, "batch_timeout": 0.005} if given.batch > 1 else {}
    server = litserve.LitServer(
        Detector(given.folder, **batching), accelerator="cpu", workers_per_device=2
    )
    server.run(
        host="127.0.0.1", port=given.port, generate_client_file=False, log_level="warning",
        access_log=False,
    )  # fmt: skip


if __name__ == "__main__":
    main()
