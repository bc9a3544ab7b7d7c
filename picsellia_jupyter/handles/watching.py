"""A dashboard that is drawn anew while predictions come."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from picsellia_jupyter.domain.dashboards import Choices, DashboardReport, Filters
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.handles.dashboard import DashboardView
from picsellia_jupyter.handles.threads import begin

RANGES = ("1h", "24h", "7d", "30d", "all")
EVERY_S = 5.0
_LONGEST_UNDRAWN_S = 60.0
"""A range that ends now moves on although nothing comes."""
_ALL = "all"
_WIDGETS = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is watched."""

    last: str
    filters: Filters


class Watch:
    """Shows a dashboard and keeps it up to date, in a thread, until it is stopped.

    The dashboard is an ordinary output that is replaced in one go, so that it stays as it is in a
    saved notebook. The controls above it are widgets, and go when it is stopped.
    """

    def __init__(
        self,
        draw: Callable[[Wanted], DashboardView],
        wanted: Wanted,
        *,
        every_s: float = EVERY_S,
    ) -> None:
        """Draw it for the first time; the controls come first.

        Args:
            draw: makes the dashboard of what is wanted; called on one thread at a time.
            wanted: at first.
            every_s: seconds between two looks.
        """
        self._draw, self.wanted, self._every_s = draw, wanted, every_s
        self._wake, self._stopped = threading.Event(), threading.Event()
        self.view = draw(wanted)
        self._drawn_at = time.monotonic()
        self._controls = Controls(self, self.view.data.choices)
        self._output = _Output()
        self._output.show(self.view)
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
        while True:
            was_asked = self._wake.wait(self._every_s)
            self._wake.clear()
            if self._stopped.is_set():
                return
            try:
                self._look(was_asked=was_asked)
            except PicselliaJupyterError as error:
                self._controls.say(str(error))

    def _look(self, *, was_asked: bool) -> None:
        found = self._draw(self.wanted)
        rested_s = time.monotonic() - self._drawn_at
        same = _seen(found.data) == _seen(self.view.data) and rested_s < _LONGEST_UNDRAWN_S
        self._controls.say("")
        if self._stopped.is_set() or (same and not was_asked):
            return
        self.view, self._drawn_at = found, time.monotonic()
        self._output.show(found)


def _seen(report: DashboardReport) -> tuple[object, ...]:
    """What makes a dashboard worth drawing again."""
    figures = report.figures
    failed = report.errors.failed if report.errors else 0
    shown = (report.shadow, report.champion, report.alerts)
    return figures.inferences, figures.shapes, failed, *shown


class Controls:
    """Range, filters and a button that stops it."""

    def __init__(self, watch: Watch, choices: Choices) -> None:
        import ipywidgets as w

        self._watch = watch
        spans = dict.fromkeys([*RANGES, watch.wanted.last])
        self.range = w.ToggleButtons(
            options=list(spans), value=watch.wanted.last, style={"button_width": "auto"},
            tooltips=[f"The last {one}" if one != "all" else "Everything" for one in spans],
        )  # fmt: skip
        self.filters = {
            name: self._dropdown(name, getattr(choices, f"{name}s"))
            for name in ("version", "label", "tag", "source")
            if getattr(choices, f"{name}s") or getattr(watch.wanted.filters, name)
        }
        self.stopping = w.Button(description="Stop", tooltip="Leave the dashboard as it is")
        self._said = w.Label("")
        for one in (self.range, *self.filters.values()):
            one.observe(self._chosen, "value")
        self.stopping.on_click(lambda _button: watch.stop())
        flow = w.Layout(flex_flow="row wrap", grid_gap="4px", align_items="center")
        self.box = w.Box(
            [self.range, *self.filters.values(), self.stopping, self._said], layout=flow
        )
        self._handle = _shown({_WIDGETS: _view(self.box), "text/plain": "Live"})

    def say(self, trouble: str) -> None:
        """What keeps the dashboard from being up to date; nothing where it is."""
        if self._said.value != trouble:
            self._said.value = trouble

    def end(self) -> None:
        """Give way to a line of text."""
        ended = f"Live until {time.strftime('%H:%M:%S')}"
        self._handle.update({"text/plain": ended}, raw=True)
        self.box.close()

    def _dropdown(self, name: str, options: tuple[str, ...]) -> Any:
        import ipywidgets as w

        now = getattr(self._watch.wanted.filters, name)
        known = dict.fromkeys([*options, *([now] if now else [])])
        shown = [(f"{name}: {_ALL}", None), *((f"{name}: {one}", one) for one in known)]
        # Its name is within its options; a screen reader is told it too.
        return w.Dropdown(options=shown, value=now, tooltip=name, layout=w.Layout(width="auto"))

    def _chosen(self, _change: object) -> None:
        filters = replace(
            self._watch.wanted.filters, **{name: one.value for name, one in self.filters.items()}
        )
        self._watch.want(Wanted(str(self.range.value), filters))


class _Output:
    """One output, replaced in one go."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, view: DashboardView) -> None:
        """Put this dashboard in its place."""
        bundle = view._repr_mimebundle_()
        if self._handle is None:
            self._handle = _shown(bundle)
        else:
            self._handle.update(bundle, raw=True)


def _shown(bundle: dict[str, Any]) -> Any:
    from IPython.display import display

    return display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]


def _view(widget: Any) -> dict[str, Any]:
    return {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}
