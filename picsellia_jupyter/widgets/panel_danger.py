"""The danger zone of a panel: ending the serving kernel, and deleting."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from picsellia_jupyter.display import forms, panels
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.widgets.setting_row import button, problem, put, toggle

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment

_END = "Its serving kernel ends; its predictions and its dashboard stay."
_NOT_SERVED = "No serving kernel runs for it."
_DELETE = "Removes it with its predictions, for good. Its images stay in their datalake."


class DangerPart:
    """Two buttons that each ask before they do something; `box` holds them all."""

    def __init__(
        self, record: DeploymentRecord, do: Callable[[Callable[[Deployment], None]], None]
    ) -> None:
        self._do = do
        self._name = record.name
        self.on_deleted: Callable[[str], None] = lambda _name: None
        self.undeploy = button("Undeploy")
        self.keep, self.end = button("Keep it"), button("End its serving kernel", "jp-mod-warn")
        self.typed = w.Text(description="Its name", layout=w.Layout(width="auto"))
        self.delete = button("Delete for good", "jp-mod-warn")
        self._about, self._said = w.HTML(), w.HTML()
        self._asking = self._bar(self.end, self.keep)
        toggle(self._asking, shown=False)
        self.undeploy.on_click(lambda _button: self._ask(True))
        self.keep.on_click(lambda _button: self._ask(False))
        self.end.on_click(lambda _button: self._end_clicked())
        self.typed.observe(lambda _change: self._typed(), names="value")
        self.delete.on_click(lambda _button: self._delete_clicked())
        self._how = w.HTML()
        self.box = w.VBox(
            [
                w.HTML(panels.section("Danger zone")),
                self._about, self.undeploy, self._asking,
                self._how, self._bar(self.typed, self.delete), self._said,
            ]
        )  # fmt: skip
        self.box.add_class("pxj-danger")
        self._typed()

    def learn(self, record: DeploymentRecord, *, is_served: bool) -> None:
        """Offer what applies to it now."""
        self._name = record.name
        put(self._about, forms.hint(_END if is_served else _NOT_SERVED))
        put(self._how, forms.hint(f"{_DELETE} Type {record.name} to delete it."))
        if not is_served:
            toggle(self._asking, shown=False)
        toggle(self.undeploy, shown=is_served and self._asking.layout.display == "none")
        self._typed()

    def _ask(self, asking: bool) -> None:
        toggle(self._asking, shown=asking)
        toggle(self.undeploy, shown=not asking)
        (self.keep if asking else self.undeploy).focus()

    def _end_clicked(self) -> None:
        put(self._said, forms.status("Its serving kernel is told to record what it has and end …"))
        toggle(self._asking, shown=False)
        self._do(self._ended)

    def _ended(self, deployment: Deployment) -> None:
        try:
            deployment.undeploy()
            record = deployment.refresh()
        except Exception as error:  # noqa: BLE001 - shown here, whatever it is
            put(self._said, problem(error))
            toggle(self.undeploy, shown=True)
            return
        put(self._said, forms.status("Ended.") + forms.line("d.undeploy()"))
        self.learn(record, is_served=False)

    def _typed(self) -> None:
        unlike = self.typed.value.strip() != self._name
        if self.delete.disabled != unlike:
            self.delete.disabled = unlike

    def _delete_clicked(self) -> None:
        # Checked again: what is typed may have changed since the button was offered.
        if self.typed.value.strip() == self._name:
            put(self._said, forms.status("Deleting …"))
            self.delete.disabled = True
            self._do(self._deleted)

    def _deleted(self, deployment: Deployment) -> None:
        try:
            deployment.undeploy(delete=True)
        except Exception as error:  # noqa: BLE001 - shown here, whatever it is
            put(self._said, problem(error))
            self._typed()
            return
        self.on_deleted(self._name)

    def _bar(self, *widgets: Any) -> Any:
        bar = w.HBox(list(widgets))
        bar.add_class("pxj-bar")
        return bar
