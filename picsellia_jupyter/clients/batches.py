"""Many images in one request to a serving kernel: its body, and the lines of its answer."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence

import httpx

from picsellia_jupyter.domain.errors import NotServingError, PicselliaJupyterError
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.wire.resources import error_from_json, reply_from_json

Image = tuple[str, Callable[[], bytes]]
"""A file name, and what reads the encoded image when it is its turn."""
Outcome = PredictedImage | PicselliaJupyterError
IDEMPOTENCY_KEY = "Idempotency-Key"
_LONGEST_NAME = 255


class BatchRequest:
    """One request with many images; used once."""

    def __init__(
        self, images: Sequence[Image], *, monitor: bool, tags: Sequence[str], key: str
    ) -> None:
        """Make it.

        Args:
            images: file names, and what reads each image when it is its turn.
            monitor: record the predictions and the images.
            tags: names of tags for the recorded images.
            key: a UUID, the same where the same images are sent again: they are recorded once.
        """
        self._images = images
        self._texts = [("monitor", str(monitor)), ("postprocess", "False")]
        self._texts += [("tags", tag) for tag in tags]
        self._boundary = secrets.token_hex(16)
        self._key = key
        self.is_whole = False
        """Whether the answer was read to its end."""
        self._sent: list[int] = []
        self._outcomes: dict[int, Outcome] = {}

    @property
    def headers(self) -> dict[str, str]:
        """What says how the body is to be read, and which request it is."""
        kind = f"multipart/form-data; boundary={self._boundary}"
        return {"Content-Type": kind, IDEMPOTENCY_KEY: self._key}

    def body(self) -> Iterator[bytes]:
        """The form, image by image; one that cannot be read is left out."""
        fence = f"--{self._boundary}\r\nContent-Disposition: form-data; name="
        for name, value in self._texts:
            yield f'{fence}"{name}"\r\n\r\n{value}\r\n'.encode()
        for place, (filename, read) in enumerate(self._images):
            try:
                image = read()
            except PicselliaJupyterError as error:
                self._outcomes[place] = error
                continue
            self._sent.append(place)
            head = f'{fence}"media"; filename="{_quoted(filename)}"\r\n\r\n'
            yield head.encode(errors="replace")
            yield image
            yield b"\r\n"
        yield f"--{self._boundary}--\r\n".encode()

    def outcomes(self, lines: Iterable[str]) -> list[Outcome]:
        """What came of every image, in their order.

        Args:
            lines: of the answer; where they end early, the images left have no answer.
        """
        end: PicselliaJupyterError = NotServingError(
            "The serving kernel ended before it had answered for this image.",
            "See its state with %deployments, then send the image again.",
        )
        try:
            for line in lines:
                said = json.loads(line)
                if "index" in said:
                    place = self._sent[said["index"]]
                    self._outcomes[place] = self._outcome(place, said)
                else:
                    self.is_whole = True
                    end = error_from_json(said["error"]) if said.get("error") else end
        except httpx.TransportError:
            pass
        return [self._outcomes.get(place, end) for place in range(len(self._images))]

    def _outcome(self, place: int, said: dict[str, object]) -> Outcome:
        prediction, error = said.get("prediction"), said.get("error")
        if isinstance(prediction, dict):
            return reply_from_json(prediction, source=self._images[place][0])
        return error_from_json(error if isinstance(error, dict) else {})


def _quoted(filename: str) -> str:
    """A file name as a form can hold it; folders are left out anyway."""
    bare = filename.replace("\\", "/").rpartition("/")[2][-_LONGEST_NAME:]
    return bare.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
