"""The stages of a deployment, shown in place as they go by."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display

from picsellia_jupyter.display import progress as stages
from picsellia_jupyter.domain.deployments import Progress

REFRESH_S = 0.25


class ProgressView:
    """A progress listener that redraws one output, at most four times a second."""

    def __init__(self) -> None:
        self._steps: tuple[Progress, ...] = ()
        self._handle: Any = None
        self._began = time.monotonic()
        self._drawn = 0.0
        # A terminal cannot redraw an output, so it gets one for each stage.
        self._live = getattr(get_ipython(), "kernel", None) is not None

    def __enter__(self) -> ProgressView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if kind is not None and self._steps:
            self._draw(failed="stopped" if kind is KeyboardInterrupt else str(error))

    def __call__(self, progress: Progress) -> None:
        """Note a stage that has begun, or go on showing the one that lasts."""
        known, self._steps = self._steps, stages.noted(self._steps, progress)
        new = len(self._steps) > len(known)
        if new or (self._live and time.monotonic() - self._drawn > REFRESH_S):
            self._draw()

    def _draw(self, *, failed: str | None = None) -> None:
        self._drawn = time.monotonic()
        elapsed = self._drawn - self._began
        bundle = {
            "text/html": stages.progress_card(self._steps, elapsed, failed),
            "text/plain": stages.progress_text(self._steps, elapsed, failed),
        }
        if self._handle is None or not self._live:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)
