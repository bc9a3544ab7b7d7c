"""How far predicting on many images is, in one output that stays small."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from IPython.core.interactiveshell import InteractiveShell
from IPython.display import display

from picsellia_jupyter.display import batches
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.handles.prediction import ImagePrediction

PATIENCE_S = 1.0
"""What is done sooner shows no progress."""
REFRESH_S = 0.5
RECENT = 6
"""Pictures of the images done last; each is replaced by those that follow."""


class LiveProgress:
    """Told of every image, redraws one output at most twice a second; in notebooks only.

    At the end that output is a single line: the value that is returned shows the pictures.
    """

    def __init__(self, total: int, labels: Mapping[int, str], threshold: float | None) -> None:
        self._total, self._labels, self._threshold = total, labels, threshold
        self._recent: deque[PredictedImage] = deque(maxlen=RECENT)
        self._done = self._failed = 0
        self._began = self._drawn = time.monotonic()
        self._handle: Any = None
        self._live = InteractiveShell.initialized() and hasattr(
            InteractiveShell.instance(), "kernel"
        )

    def __enter__(self) -> LiveProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            self._recent.clear()
            self._draw(stopped=True)

    def __call__(self, done: int, failed: int, image: PredictedImage | None) -> None:
        """Note that one more image is done, or has failed."""
        self._done, self._failed = done, failed
        if image is not None:
            self._recent.append(image)
        wait_s = PATIENCE_S if self._handle is None else REFRESH_S
        if self._live and time.monotonic() - self._drawn > wait_s:
            self._draw()

    def _draw(self, *, stopped: bool = False) -> None:
        elapsed_s = time.monotonic() - self._began
        state = batches.BatchState(self._done, self._total, self._failed, elapsed_s, stopped)
        recent = [ImagePrediction(image).shown() for image in self._recent]
        bundle = {
            "text/html": batches.batch_html(state, recent, self._labels, self._threshold),
            "text/plain": batches.batch_text(state),
        }
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)
        # Drawing takes time itself; the pause counts from its end.
        self._drawn = time.monotonic()
