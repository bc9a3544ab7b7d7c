"""A dashboard that is drawn anew while predictions come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from picsellia_jupyter.domain.dashboards import DashboardReport
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.handles.dashboard import DashboardView
from picsellia_jupyter.handles.threads import begin
from picsellia_jupyter.handles.watch_controls import Controls, Wanted, shown

EVERY_S = 5.0
_LONGEST_UNDRAWN_S = 60.0
"""A range that ends now moves on although nothing comes."""


class Watch:
    """Shows a dashboard and keeps it up to date, in a thread, until it is stopped.

    The dashboard is an ordinary output that is replaced in one go, so that it stays as it is in a
    saved notebook. The controls above it are widgets, and go when it is stopped. A range that is
    drawn over a chart is watched from then on; a bar that is clicked shows its images below.
    """

    def __init__(
        self,
        draw: Callable[[Wanted], DashboardView],
        wanted: Wanted,
        *,
        every_s: float = EVERY_S,
        images: Callable[[Wanted], Any] = lambda _wanted: None,
    ) -> None:
        """Draw it for the first time; the controls come first.

        Args:
            draw: makes the dashboard of what is wanted; called on one thread at a time.
            wanted: at first.
            every_s: seconds between two looks.
            images: makes what shows the images of `wanted.images`; called likewise.
        """
        self._draw, self._images = draw, images
        self.wanted, self._every_s = wanted, every_s
        self._wake, self._stopped = threading.Event(), threading.Event()
        self.view = draw(wanted)
        self._drawn_at = time.monotonic()
        self._controls = Controls(wanted, self.view.data.choices, self.want, self.stop)
        self._output, self._below = Output(), Output()
        self._show(self.view)
        self._thread = begin(self._run, "dashboard")

    @property
    def is_live(self) -> bool:
        """Whether it goes on."""
        return not self._stopped.is_set()

    def want(self, wanted: Wanted) -> None:
        """Watch something else from now on."""
        self.wanted = wanted
        self._wake.set()

    def stop(self) -> None:
        """Leave the dashboard as it is; calling it again does nothing."""
        if self._stopped.is_set():
            return
        self._stopped.set()
        self._wake.set()
        self._controls.end()

    def wait(self) -> None:
        """Wait until it is stopped; an interrupt stops it."""
        try:
            self._stopped.wait()
        except KeyboardInterrupt:
            self.stop()

    def _run(self) -> None:
        seen = self.wanted
        while True:
            self._wake.wait(self._every_s)
            self._wake.clear()
            if self._stopped.is_set():
                return
            now = self.wanted
            try:
                self._look(now, seen)
            except PicselliaJupyterError as error:
                self._controls.say(str(error))
            seen = now

    def _look(self, wanted: Wanted, before: Wanted) -> None:
        if wanted.images is not None and wanted.images != before.images:
            self._below.show(self._images(wanted))
        found = self._draw(wanted)
        rested_s = time.monotonic() - self._drawn_at
        same = _seen(found.data) == _seen(self.view.data) and rested_s < _LONGEST_UNDRAWN_S
        self._controls.say("")
        if self._stopped.is_set() or (same and replace(wanted, images=before.images) == before):
            return
        self.view, self._drawn_at = found, time.monotonic()
        self._show(found)

    def _show(self, view: DashboardView) -> None:
        self._output.show(replace(view, watch=self._controls.name))


def _seen(report: DashboardReport) -> tuple[object, ...]:
    """What makes a dashboard worth drawing again."""
    figures = report.figures
    failed = report.errors.failed if report.errors else 0
    shown = (report.shadow, report.champion, report.alerts)
    return figures.inferences, figures.shapes, failed, *shown


class Output:
    """One output, replaced in one go."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, value: Any) -> None:
        """Put this in its place."""
        told = value._repr_mimebundle_()
        bundle = told[0] if isinstance(told, tuple) else told
        if self._handle is None:
            self._handle = shown(bundle)
        else:
            self._handle.update(bundle, raw=True)
