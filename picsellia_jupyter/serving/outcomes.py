"""How many predictions a front gave, and how many it could not give."""

from __future__ import annotations

import uuid

from picsellia_jupyter.domain.deployments import Answers
from picsellia_jupyter.serving import refusals

_OF_THE_SERVER = 500


class Outcomes:
    """Counts what became of predictions; the event loop's thread alone writes.

    One has *failed* where the kernel could not give it: no worker is left, the model broke off or
    made no sense, the time was over, the disk took nothing. What is the client's own doing (no
    image, a wrong token, a request again after 429) counts nowhere.
    """

    def __init__(self) -> None:
        self._counter = uuid.uuid4().hex
        self._answered = self._failed = self._predicted = 0
        self._latency_s = 0.0

    def note(self, error: BaseException | None = None) -> None:
        """Count one: its answer, or why there was none."""
        if error is None:
            self._answered += 1
        elif isinstance(error, Exception) and refusals.status_of(error) >= _OF_THE_SERVER:
            self._failed += 1

    def took(self, latency_s: float) -> None:
        """Note that an image was predicted on, and how long the model took."""
        self._predicted += 1
        self._latency_s += latency_s

    @property
    def timed(self) -> tuple[int, float]:
        """How many images were predicted on, and the seconds of all of them; from any thread."""
        return self._predicted, self._latency_s

    @property
    def so_far(self) -> Answers:
        """Since this front began; from any thread."""
        return Answers(self._counter, self._answered, self._failed)
