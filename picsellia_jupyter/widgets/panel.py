"""The panel of a deployment: dashboard, predictions and settings, live under a cell."""

from __future__ import annotations

import atexit
import contextlib
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import ipywidgets as w

from picsellia_jupyter.display import cards, forms, panels
from picsellia_jupyter.handles.threads import begin
from picsellia_jupyter.widgets.dialog import Loop
from picsellia_jupyter.widgets.errand import Errands
from picsellia_jupyter.widgets.output import WIDGET_VIEW, CellOutput
from picsellia_jupyter.widgets.panel_dashboard import DashboardTab
from picsellia_jupyter.widgets.panel_predictions import PredictionsTab
from picsellia_jupyter.widgets.panel_settings import SettingsTab
from picsellia_jupyter.widgets.setting_row import below, put

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment

SETTLING_S = 0.25
"""That values which the page sent before a click get to arrive, on whichever thread they do."""
CLOSING_S = 0.3
"""That a page gets to put the card up before the panel's widgets are gone."""
LOCAL_EVERY_S, CLOUD_EVERY_S = 2.0, 15.0
"""How often it is asked how the deployment is."""
TABS = ("Dashboard", "Predictions", "Settings")


class DeploymentPanel:
    """One open panel. Nothing here holds up the kernel: whatever is asked, a thread asks."""

    def __init__(
        self, deployment: Deployment, kernel: Loop, output: CellOutput | None = None
    ) -> None:
        """Make it; `open` shows it.

        Args:
            deployment: in the user's hand; the panel takes others of it for its threads.
            kernel: that it lives in.
            output: that it is to be shown in; a new one of the running cell without one.
        """
        self._deployment = deployment
        self._kernel = kernel
        self._home = threading.get_ident()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._output = output or CellOutput(uuid.uuid4().hex, has_cell=True)
        record = deployment.record
        self._is_local = is_local = deployment._platform.is_local
        self._desk, self._painter, self._reader = (
            Errands(deployment.beside, name, failed=self._troubled)
            for name in ("settings", "dashboard", "predictions")
        )
        self.dashboard = DashboardTab(self._painter.do)
        self.predictions = PredictionsTab(record, self._reader.do, is_local=is_local)
        self.settings = SettingsTab(record, self._settled, is_local=is_local)
        self.settings.danger.on_deleted = self._deleted
        self._head = w.HTML(panels.head(record, None))
        self.tabs = w.Tab(
            [self.dashboard.box, self.predictions.box, self.settings.box], titles=TABS
        )
        self.box = w.VBox([w.HTML(forms.STYLE + panels.STYLE), self._head, self.tabs])
        for name in ("pxj-form", "pxj-inline", "pxj-panel"):
            self.box.add_class(name)
        self._first = [self.dashboard.draw, self.predictions.draw, self._read_settings]
        self.tabs.observe(lambda _change: self._selected(), names="selected_index")

    def open(self, card: Mapping[str, str]) -> None:
        """Show it, and begin to follow the deployment.

        Args:
            card: what remains of it where it is not live: text by MIME type.
        """
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        self._output.show({WIDGET_VIEW: view, **card})
        atexit.register(self.close)
        self._selected()
        begin(self._follow, "picsellia-follow")

    def close(self, card: Mapping[str, str] | None = None) -> None:
        """Leave the deployment's card in its place."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
        atexit.unregister(self.close)
        for errands in (self._desk, self._painter, self._reader):
            errands.end()
        self._output.show(card or self._card())
        self._kernel.later(CLOSING_S, self._remove)

    # Inside ------------------------------------------------------------------------------------

    def _card(self) -> dict[str, str]:
        """The card as far as it is known, with nobody asked."""
        record, line = self._deployment.record, self._deployment.record.line()
        return {
            "text/html": cards.deployment_card(record, self._deployment.dry_run, line),
            "text/plain": cards.deployment_text(record, self._deployment.dry_run, line),
        }

    def _selected(self) -> None:
        """Fill a tab when it is first looked at."""
        at = self.tabs.selected_index or 0
        with self._lock:
            first, self._first[at] = self._first[at], _nothing
        first()

    def _read_settings(self) -> None:
        self._desk.do(self.settings.read)

    def _settled(self, act: Callable[[Deployment], None]) -> None:
        """Do something with the settings after what was chosen just before has arrived."""
        if threading.get_ident() == self._home:
            self._desk.do(act)
        else:
            self._kernel.later(SETTLING_S, lambda: self._desk.do(act))

    def _follow(self) -> None:
        every_s = LOCAL_EVERY_S if self._is_local else CLOUD_EVERY_S
        while not self._closed.wait(every_s):
            self._desk.do(self._look)

    def _look(self, deployment: Deployment) -> None:
        if self._closed.is_set():
            return
        record = deployment.refresh()
        fired = deployment._platform.fired_alerts(record)
        self._deployment.learn(record)
        put(self._head, panels.head(record, fired))
        self.settings.learn(record)
        self.dashboard.learn(record)

    def _troubled(self, error: Exception) -> None:
        put(self._head, panels.head(self._deployment.record, None, str(error)))

    def _deleted(self, name: str) -> None:
        self.close({"text/html": panels.deleted(name), "text/plain": panels.deleted_text(name)})

    def _remove(self) -> None:
        for one in below(self.box):
            with contextlib.suppress(Exception):
                one.close()


def _nothing() -> None:
    return None
