"""The Predictions tab of a panel: what was recorded, newest first, filtered, a page at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from picsellia_jupyter.display import forms, panels
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.widgets.panel_dashboard import bundle_of, output
from picsellia_jupyter.widgets.predictions_filter import PAGE, Filter, Trail
from picsellia_jupyter.widgets.setting_row import button, problem, put, toggle

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment
    from picsellia_jupyter.handles.recording import RecordedPage

_CLOUD = "Filters by label, score, date and name are on its page:"
_CHOOSE = "choose one"


class PredictionsTab:
    """Filters, the grid, and one image at full size; `box` holds them all."""

    def __init__(
        self,
        record: DeploymentRecord,
        do: Callable[[Callable[[Deployment], None]], None],
        *,
        is_local: bool,
    ) -> None:
        self._do = do
        self._lock = threading.Lock()
        self._trail = Trail()
        self._page: RecordedPage | None = None
        self._filling = False
        self._inputs = _inputs(record, is_local=is_local)
        self.older, self.newer = button("Older"), button("Newer")
        self.again = button("Refresh")
        self.closer = w.Dropdown(
            description="At full size", options=[(_CHOOSE, -1)], layout=w.Layout(width="auto")
        )
        self._said, self._line, self._problem = w.HTML(), w.HTML(), w.HTML()
        self._grid, self._one = w.Output(), w.Output()
        self.box = self._laid_out(record, is_local=is_local)
        for widget in self._inputs.values():
            widget.observe(lambda _change: self._filtered(), names="value")
        self.older.on_click(lambda _button: self._turned(Trail.older))
        self.newer.on_click(lambda _button: self._turned(Trail.newer))
        self.again.on_click(lambda _button: self._filtered())
        self.closer.observe(lambda _change: self._look(), names="value")

    def draw(self) -> None:
        """Have the page drawn that the trail has come to."""
        put(self._said, forms.status("Reading …"))
        for one in (self.older, self.newer):
            one.disabled = True
        self._do(self._drawn)

    @property
    def wanted(self) -> Filter:
        """What stands in the fields."""
        return Filter(**{name: widget.value for name, widget in self._inputs.items()})

    def _filtered(self) -> None:
        with self._lock:
            self._trail = Trail()
        self.draw()

    def _turned(self, turn: Callable[[Trail], Trail]) -> None:
        with self._lock:
            self._trail = turn(self._trail)
        self.draw()

    def _drawn(self, deployment: Deployment) -> None:
        with self._lock:
            trail, wanted = self._trail, self.wanted
        try:
            asked = wanted.keywords()
            page = deployment.recorded(**asked, limit=PAGE, after=trail.place)
            shown = bundle_of(page) if len(page) or page.failures else {}
        except Exception as error:  # noqa: BLE001 - shown here, whatever it is
            put(self._problem, problem(error))
            put(self._said, "")
            self._allow_turning()
            return
        with self._lock:
            if trail is not self._trail or wanted != self.wanted:
                return
            self._trail = trail.leading_to(page.more)
            self._page = page
        self._show(page, shown, wanted)

    def _show(self, page: RecordedPage, shown: dict[str, Any], wanted: Filter) -> None:
        put(self._problem, "")
        self._one.outputs = ()
        self._grid.outputs = (output(shown),) if shown else ()
        put(self._said, forms.status(self._trail.title(len(page) + len(page.failures), wanted)))
        put(self._line, forms.line(wanted.line(self._trail.place)))
        self._allow_turning()
        names = [item.image.source for item in page.items]
        self._filling = True
        self.closer.options = [
            (_CHOOSE, -1),
            *((f"{at + 1}: {n}", at) for at, n in enumerate(names)),
        ]
        self._filling = False
        toggle(self.closer, shown=bool(names))

    def _allow_turning(self) -> None:
        self.older.disabled = not self._trail.has_older
        self.newer.disabled = not self._trail.has_newer

    def _look(self) -> None:
        at, page = self.closer.value, self._page
        if self._filling or page is None or at is None:
            return
        if at < 0:
            self._one.outputs = ()
        else:
            self._do(lambda _deployment: self._looked(page, at))

    def _looked(self, page: RecordedPage, at: int) -> None:
        try:
            self._one.outputs = (output(bundle_of(page[at])),)
        except Exception as error:  # noqa: BLE001 - shown here, whatever it is
            put(self._problem, problem(error))

    def _laid_out(self, record: DeploymentRecord, *, is_local: bool) -> Any:
        filters = w.HBox([*self._inputs.values()])
        turning = w.HBox([self.newer, self.older, self.again, self._said])
        below = w.HBox([self.closer])
        for bar in (filters, turning, below):
            bar.add_class("pxj-bar")
        toggle(self.closer, shown=False)
        cloud = [] if is_local else [w.HTML(panels.link(_CLOUD, record.url))]
        return w.VBox(
            [filters, *cloud, turning, self._problem, self._grid, below, self._one, self._line]
        )


def _inputs(record: DeploymentRecord, *, is_local: bool) -> dict[str, Any]:
    """The filters that the platform takes, by the names of `Filter`."""

    def room(width: str) -> dict[str, Any]:
        return {"layout": w.Layout(width=width)}

    def text(title: str) -> Any:
        return w.Text(description=title, continuous_update=False, **room("170px"))

    images = {"tag": text("Tag"), "source": text("Source")}
    if not is_local:
        return images
    labels = [("any", ""), *((name, name) for name in record.labels.values())]
    number = {"step": 0.05, "min": 0, "max": 1}
    return {
        "label": w.Dropdown(description="Label", options=labels, **room("auto")),
        "over": w.BoundedFloatText(description="Score over", **number, **room("160px")),
        "up_to": w.BoundedFloatText(description="up to", value=1, **number, **room("130px")),
        "since": w.DatePicker(description="From", **room("190px")),
        "until": w.DatePicker(description="To", **room("175px")),
        **images,
        "text": text("File"),
    }
