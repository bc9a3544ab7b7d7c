"""The guide of a Monitoring-only deployment: three tabs that lead to its first prediction."""

from __future__ import annotations

import atexit
import contextlib
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import ipywidgets as w

from picsellia_jupyter.display import forms, panels
from picsellia_jupyter.widgets.dialog import Loop
from picsellia_jupyter.widgets.errand import Act, Errands
from picsellia_jupyter.widgets.guide_check import CheckStep
from picsellia_jupyter.widgets.guide_connect import ConnectStep
from picsellia_jupyter.widgets.guide_download import DownloadStep
from picsellia_jupyter.widgets.output import WIDGET_VIEW, CellOutput
from picsellia_jupyter.widgets.panel import CLOSING_S, SETTLING_S
from picsellia_jupyter.widgets.setting_row import below, put

if TYPE_CHECKING:
    from picsellia_jupyter.handles.interconnection import Interconnection
    from picsellia_jupyter.session import Session

TABS = ("1. Download the files", "2. Connect your server", "3. Check that it works")


class Guide:
    """One open guide. What takes time is done by threads, each with a handle of its own."""

    def __init__(
        self,
        shown: Interconnection,
        session: Session,
        kernel: Loop,
        output: CellOutput | None = None,
    ) -> None:
        """Make it; `open` shows it.

        Args:
            shown: what it leads through.
            session: of the notebook, which starts a serving kernel where that is wanted.
            kernel: that it lives in.
            output: that it is to be shown in; a new one of the running cell without one.
        """
        self._shown, self._kernel = shown, kernel
        self._home = threading.get_ident()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._output = output or CellOutput(uuid.uuid4().hex, has_cell=True)
        self._card: Mapping[str, str] = {}
        record = shown.record
        self._head = w.HTML(panels.head(record, None))
        self._fetcher, self._waiter = (
            Errands(shown.deployment.beside, name, failed=self._troubled)
            for name in ("download", "check")
        )
        self.download = DownloadStep(shown, lambda act: self._settled(self._fetcher, act))
        self.connect = ConnectStep(shown, session)
        self.check = CheckStep(record, self._waiter.do)
        self.tabs = w.Tab([self.download.box, self.connect.box, self.check.box], titles=TABS)
        self.tabs.observe(lambda _change: self._selected(), names="selected_index")
        self.box = w.VBox([w.HTML(forms.STYLE + panels.STYLE), self._head, self.tabs])
        for name in ("pxj-form", "pxj-inline", "pxj-panel"):
            self.box.add_class(name)

    def open(self, card: Mapping[str, str]) -> None:
        """Show it.

        Args:
            card: what remains of it where it is not live: text by MIME type.
        """
        self._card = card
        view = {"version_major": 2, "version_minor": 0, "model_id": self.box.model_id}
        self._output.show({WIDGET_VIEW: view, **card})
        atexit.register(self.close)

    def close(self) -> None:
        """Leave the guide as text in its place; what is being deployed is cancelled."""
        with self._lock:
            if self._closed.is_set():
                return
            self._closed.set()
        atexit.unregister(self.close)
        for step in (self.download, self.connect, self.check):
            step.end()
        for errands in (self._fetcher, self._waiter):
            errands.end()
        self._output.show(self._card)
        self._kernel.later(CLOSING_S, self._remove)

    # Inside ------------------------------------------------------------------------------------

    def _settled(self, errands: Errands, act: Act) -> None:
        """Do something after what was typed just before has arrived."""
        if threading.get_ident() == self._home:
            errands.do(act)
        else:
            self._kernel.later(SETTLING_S, lambda: errands.do(act))

    def _selected(self) -> None:
        steps: dict[int, Callable[[], None]] = {2: self.check.begin}
        steps.get(self.tabs.selected_index or 0, lambda: None)()

    def _troubled(self, error: Exception) -> None:
        put(self._head, panels.head(self._shown.record, None, str(error)))

    def _remove(self) -> None:
        for one in below(self.box):
            with contextlib.suppress(Exception):
                one.close()
