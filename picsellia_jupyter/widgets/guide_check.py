"""The third step of the guide: the first prediction is waited for, and shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import ipywidgets as w

from picsellia_jupyter.display import forms, guides
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.handles.recorded import RecordedPrediction
from picsellia_jupyter.widgets.errand import Act
from picsellia_jupyter.widgets.panel_dashboard import bundle_of, output
from picsellia_jupyter.widgets.setting_row import button, problem, put, toggle

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment

ASK_EVERY_S = 1.0
_WAITS = "Waiting for the first prediction: run the code where your model runs."
_NO_IMAGE = "{count:,} came, none with its image: raise the sample rate, or send with sample=True."


class CheckStep:
    """A sentence, and the prediction once it is there; `box` holds them all."""

    def __init__(self, record: DeploymentRecord, do: Callable[[Act], None]) -> None:
        self._record = record
        self._do = do
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._waits = False
        self.again = button("Look again")
        self._said, self._problem, self._line = (w.HTML() for _ in range(3))
        self._picture = w.Output()
        bar = w.HBox([self.again, self._said])
        bar.add_class("pxj-bar")
        self.box = w.VBox([bar, self._problem, self._picture, self._line])
        put(self._problem, "")
        toggle(self.again, shown=False)
        self.again.on_click(lambda _button: self.begin())

    def begin(self) -> None:
        """Wait for it, if that is not done already."""
        with self._lock:
            if self._waits:
                return
            self._waits = True
        toggle(self.again, shown=False)
        put(self._problem, "")
        put(self._said, forms.status(_WAITS))
        put(self._line, forms.line(f"{guides.line(self._record.name)} --check"))
        self._do(self._wait)

    def end(self) -> None:
        """Wait no longer."""
        self._ended.set()

    def _wait(self, deployment: Deployment) -> None:
        try:
            while not self._ended.is_set() and not self._look(deployment):
                self._ended.wait(ASK_EVERY_S)
        except Exception as error:  # noqa: BLE001 - shown here, whatever it is
            put(self._problem, problem(error))
            put(self._said, "")
        with self._lock:
            self._waits = False
        toggle(self.again, shown=True)

    def _look(self, deployment: Deployment) -> bool:
        """Show the newest one, if there is one."""
        platform = deployment._platform
        newest = platform.newest_prediction(self._record)
        if newest is None:
            count = platform.deployment(self._record.id).inferences
            put(self._said, forms.status(_NO_IMAGE.format(count=count) if count else _WAITS))
            return False
        record = self._record
        found = RecordedPrediction(*newest, labels=record.labels, threshold=record.threshold)
        self._picture.outputs = (output(bundle_of(found)),)
        put(self._said, forms.status(f"{guides.arrived_text(record.name).removesuffix(':')}."))
        return True
