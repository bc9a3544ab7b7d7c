"""The Dashboard tab of a panel: what `dashboard(last=…)` returns shows itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from picsellia_jupyter.display import forms
from picsellia_jupyter.display.units import count
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.widgets.setting_row import button, problem, put

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment

RANGES = (
    ("last hour", "1h"),
    ("last 24 hours", "24h"),
    ("last 7 days", "7d"),
    ("last 30 days", "30d"),
    ("all", "all"),
)


class DashboardTab:
    """A range, and the dashboard of it; `box` holds them all."""

    def __init__(self, do: Callable[[Callable[[Deployment], None]], None]) -> None:
        self._do = do
        self._counted: int | None = None
        auto = w.Layout(width="auto")
        self.range = w.Dropdown(description="Range", options=RANGES, value="24h", layout=auto)
        self.again = button("Refresh")
        self._said, self._line, self._problem = w.HTML(), w.HTML(), w.HTML()
        self._output = w.Output()
        bar = w.HBox([self.range, self.again, self._said])
        bar.add_class("pxj-bar")
        self.box = w.VBox([bar, self._problem, self._output, self._line])
        self.range.observe(lambda _change: self.draw(), names="value")
        self.again.on_click(lambda _button: self.draw())

    def draw(self) -> None:
        """Have it drawn, for the range that is chosen."""
        put(self._said, forms.status("Drawing …"))
        self._do(self._drawn)

    def learn(self, record: DeploymentRecord) -> None:
        """Say how much has come since; redrawing by itself would move it under one's eyes."""
        counted, now = self._counted, record.inferences
        if counted is not None and now is not None and now > counted:
            fresh = count(now - counted, "prediction")
            put(self._said, forms.status(f"{fresh} more since: Refresh shows them."))

    def _drawn(self, deployment: Deployment) -> None:
        last = self.range.value
        try:
            shown = bundle_of(deployment.dashboard(last=last))
        except Exception as error:  # noqa: BLE001 - shown here, whatever it is
            put(self._problem, problem(error))
            put(self._said, "")
            return
        self._counted = deployment.record.inferences
        put(self._problem, "")
        self._output.outputs = (output(shown),)
        put(self._said, forms.status(time.strftime("As of %H:%M:%S.")))
        put(self._line, forms.line(f'd.dashboard("{last}")'))


def bundle_of(value: Any) -> dict[str, Any]:
    """How a value shows itself: text by MIME type."""
    told = value._repr_mimebundle_()
    bundle: dict[str, Any] = dict(told[0] if isinstance(told, tuple) else told)
    return bundle


def output(bundle: dict[str, Any]) -> dict[str, Any]:
    """An output as a notebook keeps it."""
    return {"output_type": "display_data", "data": bundle, "metadata": {}}
