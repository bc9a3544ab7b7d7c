"""The second step of the guide: code to paste, or a serving kernel that does it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import ipywidgets as w

from picsellia_jupyter.display import forms, guides, panels, progress
from picsellia_jupyter.domain.places import LOCAL
from picsellia_jupyter.widgets.deploy_job import DeployJob, Standing
from picsellia_jupyter.widgets.setting_row import button, problem, put, toggle
from picsellia_jupyter.workflows.deploying import DeployRequest

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment
    from picsellia_jupyter.handles.interconnection import Interconnection
    from picsellia_jupyter.session import Session

_SERVES = "A serving kernel serves it and logs every prediction."
_UNDONE = "Cancelled: the serving kernel has ended."


class ConnectStep:
    """The code, and a button that has a serving kernel do it; `box` holds them all."""

    def __init__(self, shown: Interconnection, session: Session) -> None:
        record = shown.record
        self._session = session
        self._lock = threading.Lock()
        self._job: DeployJob | None = None
        self._request = DeployRequest(
            model=record.model_title,
            strategy=record.strategy.value,
            threshold=record.threshold,
            datalake=record.datalake_name,
            place=LOCAL,
            name=record.name,
        )
        self.serve, self.cancel = button("Start a serving kernel"), button("Cancel")
        self._said, self._steps, self._problem, self._line = (w.HTML() for _ in range(4))
        bar = w.HBox([self.serve, self.cancel, self._said])
        bar.add_class("pxj-bar")
        self.box = w.VBox(
            [
                w.HTML(guides.code_html(shown.python, shown.curl)),
                w.HTML(panels.section("Or have a serving kernel do it") + guides.serving_html()),
                bar, self._steps, self._problem, self._line,
            ]
        )  # fmt: skip
        for note in (self._steps, self._problem, self._line):
            put(note, "")
        toggle(self.cancel, shown=False)
        self.serve.on_click(lambda _button: self._begin())
        self.cancel.on_click(lambda _button: self.end())

    def end(self) -> None:
        """Undo what is under way."""
        with self._lock:
            job = self._job
        if job is not None:
            put(self._said, forms.status("Cancelling …"))
            job.cancel()

    def _begin(self) -> None:
        with self._lock:
            if self._job is not None:
                return
            self._job = job = DeployJob(
                self._session.beside(),
                self._request,
                on_progress=self._progressed,
                on_end=self._ended,
            )
        put(self._problem, "")
        put(self._said, forms.status("Starting …"))
        self._turn(running=True)
        job.start()

    def _progressed(self, standing: Standing) -> None:
        with self._lock:
            if self._job is not None:
                put(self._steps, progress.progress_card(standing.steps, standing.elapsed_s))

    def _ended(self, made: Deployment | None, error: Exception | None) -> None:
        with self._lock:
            self._job = None
            put(self._steps, "")
        put(self._problem, problem(error) if error else "")
        put(self._said, forms.status(_SERVES if made else "" if error else _UNDONE))
        put(self._line, forms.line(self._request.line()) if made else "")
        self._turn(running=False)
        toggle(self.serve, shown=made is None)

    def _turn(self, *, running: bool) -> None:
        toggle(self.cancel, shown=running)
        toggle(self.serve, shown=not running)
