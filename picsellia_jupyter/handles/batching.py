"""How far predicting on many images is, in one output that stays small."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType

from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.handles.live import LiveOutput
from picsellia_jupyter.handles.prediction import ImagePrediction

PATIENCE_S = 1.0
"""What is done sooner shows no progress."""
REFRESH_S = 0.5
RECENT = 6
"""Pictures of the images done last; each is replaced by those that follow."""


class BatchProgress:
    """Told of every image, redraws one output at most twice a second; in notebooks only.

    At the end that output is a single line: the value that is returned shows the pictures.
    """

    def __init__(self, total: int, labels: Mapping[int, str], threshold: float | None) -> None:
        self._total, self._labels, self._threshold = total, labels, threshold
        self._recent: deque[PredictedImage] = deque(maxlen=RECENT)
        self._done = self._failed = 0
        self._began = self._drawn = time.monotonic()
        self._shown = False
        self._output = LiveOutput()

    def __enter__(self) -> BatchProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._shown:
            self._recent.clear()
            self._draw(last=True, kept=kind is None)

    def __call__(self, done: int, failed: int, image: PredictedImage | None) -> None:
        """Note that one more image is done, or has failed."""
        self._done, self._failed = done, failed
        if image is not None:
            self._recent.append(image)
        wait_s = REFRESH_S if self._shown else PATIENCE_S
        if self._output.live and time.monotonic() - self._drawn > wait_s:
            self._draw()

    def _draw(self, *, last: bool = False, kept: bool = False) -> None:
        from picsellia_jupyter.display import batches

        self._shown = True
        elapsed_s = time.monotonic() - self._began
        state = batches.BatchState(
            self._done, self._total, self._failed, elapsed_s, stopped=last, kept=kept
        )
        recent = [ImagePrediction(image).shown() for image in self._recent]
        html = batches.batch_html(state, recent, self._labels, self._threshold)
        self._output.show(html, batches.batch_text(state), last=last)
        # Drawing takes time itself; the pause counts from its end.
        self._drawn = time.monotonic()
