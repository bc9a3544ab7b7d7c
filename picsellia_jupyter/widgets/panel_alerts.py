"""The alerts of a deployment in its panel: listed, added, removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from picsellia_jupyter.display import forms, panels
from picsellia_jupyter.domain.alerts import LIMITS, OPERATORS, Alert, AlertMetric
from picsellia_jupyter.widgets.setting_row import below, button, problem, put

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment

_USUAL_LATENCY_S = 0.5


class AlertsPart:
    """The list and the fields of a new one; `box` holds them all."""

    def __init__(self, do: Callable[[Callable[[Deployment], None]], None]) -> None:
        self._do = do
        self._shown: tuple[Alert, ...] | None = None
        self._list = w.VBox()
        self._said = w.HTML()
        auto = {"layout": w.Layout(width="auto")}
        metrics = [one.value for one in AlertMetric]
        self.metric = w.Dropdown(description="Watch", options=metrics, **auto)
        self.operator = w.Dropdown(
            description="is", options=OPERATORS, layout=w.Layout(width="auto")
        )
        self.limit = w.FloatText(
            description="limit", value=_USUAL_LATENCY_S, layout=w.Layout(width="150px")
        )
        self.add = button("Add alert")
        self.metric.observe(lambda _change: self._offer_limit(), names="value")
        self.add.on_click(lambda _button: self._add_clicked())
        bar = w.HBox([self.metric, self.operator, self.limit, self.add])
        bar.add_class("pxj-bar")
        self.box = w.VBox([w.HTML(panels.section("Alerts")), self._list, bar, self._said])

    def show(self, alerts: Sequence[Alert]) -> None:
        """List what is watched."""
        if self._shown == tuple(alerts):
            return
        old, self._shown = self._list.children, tuple(alerts)
        lines = [self._line(one) for one in alerts]
        self._list.children = lines or [w.HTML(forms.hint("Nothing is watched yet."))]
        _close(old)

    def _line(self, one: Alert) -> Any:
        remove = button("Remove")
        remove.tooltip = f"Remove the alert {one.name}"
        remove.on_click(lambda _button: self._do(lambda deployment: self._removed(deployment, one)))
        line = w.HBox([w.HTML(panels.alert(one)), remove])
        line.add_class("pxj-alert")
        return line

    def _offer_limit(self) -> None:
        metric = AlertMetric(self.metric.value)
        self.limit.value = LIMITS.get(metric, _USUAL_LATENCY_S)

    def _add_clicked(self) -> None:
        asked = (self.metric.value, self.operator.value, self.limit.value)
        self._do(lambda deployment: self._added(deployment, *asked))

    def _added(self, deployment: Deployment, metric: str, operator: str, limit: float) -> None:
        code = f'd.add_alert("{metric}", "{operator}", {limit:g})'
        self._tried(
            deployment, lambda: deployment.add_alert(metric, operator, limit), "Added.", code
        )

    def _removed(self, deployment: Deployment, one: Alert) -> None:
        code = f"d.remove_alert({one.name!r})"
        self._tried(deployment, lambda: deployment.remove_alert(one.id), "Removed.", code)

    def _tried(
        self, deployment: Deployment, change: Callable[[], object], said: str, code: str
    ) -> None:
        put(self._said, forms.status("Saving …"))
        try:
            change()
            self.show(tuple(deployment.alerts))
        except Exception as error:  # noqa: BLE001 - shown here, whatever it is
            put(self._said, problem(error))
        else:
            put(self._said, forms.status(said) + forms.line(code))


def _close(boxes: Sequence[Any]) -> None:
    for one in (widget for box in boxes for widget in below(box)):
        one.close()
