"""The Deploy modal: a form over a plan, in a dialog of the page or under its cell."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from picsellia_jupyter.display import forms
from picsellia_jupyter.widgets import checklist, wording
from picsellia_jupyter.widgets.busy import BusyWatch, Cells
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.deploy_fields import DeployFields
from picsellia_jupyter.widgets.deploy_form import DeployForm, Field, Verdict, field_of, judge
from picsellia_jupyter.widgets.deploy_job import DeployJob, Standing
from picsellia_jupyter.widgets.deploy_view import DeployView
from picsellia_jupyter.widgets.dialog import PATIENCE_S, Dialog, Loop
from picsellia_jupyter.widgets.output import CellOutput
from picsellia_jupyter.widgets.reading import Change, Reading

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment
    from picsellia_jupyter.session import Session

SETTLING_S = 0.25
"""That values which the page sent before a click get to arrive, on whichever thread they do."""
ANSWER_S = 30.0
"""That the page which asked for a form without a cell may take to show it."""
CLOSING_S = 0.3
"""That a page gets to put the card up before the form's widgets are gone."""


class Kernel(Loop, Cells, Protocol):
    """What a form needs of the kernel that it lives in."""


class DeployModal:
    """One open form. Handlers run on the kernel's thread, on subshells and on workers alike."""

    def __init__(
        self,
        session: Session,
        kernel: Kernel,
        *,
        chosen: DeployForm | None = None,
        has_cell: bool = True,
    ) -> None:
        """Make the form; `open` shows it.

        Args:
            session: of the notebook.
            kernel: that it lives in.
            chosen: beforehand; only its model, threshold and place are looked at.
            has_cell: whether a cell runs that the form may be shown under.
        """
        self._session = session
        self._kernel = kernel
        chosen = chosen or DeployForm()
        self._asked_for = chosen.model
        self._has_cell = has_cell
        self._home = threading.get_ident()
        self._lock = threading.RLock()
        self._choices = Choices()
        self._verdict = Verdict(None)
        self._job: DeployJob | None = None
        self._refresher: int | None = None
        self._finished = self._is_inline = False
        self._looked_up: set[str] = set()
        identity = uuid.uuid4().hex
        self.fields = DeployFields()
        self.fields.threshold.value = chosen.threshold
        self._view = DeployView(self.fields, place=chosen.place)
        self._output = CellOutput(identity, has_cell=has_cell)
        self._dialog = Dialog(
            {
                "id": identity,
                "model_id": self.fields.box.model_id,
                "title": wording.TITLE,
                "kind": "deploy",
            },
            kernel,
            on_refused=self._show_inline,
            on_ready=self._shown_in_dialog,
            on_cancel=self._cancelled,
            patience_s=PATIENCE_S if has_cell else ANSWER_S,
        )
        self._reading = Reading(session, self._learn, failed=self._cannot_read)
        self._connect()
        self._busy = BusyWatch(kernel, self._view.say_busy, in_cell=has_cell)

    def open(self) -> None:
        """Show it, and begin to read what can be chosen."""
        self._output.show(self._placeholder())
        self._refresh()
        self._dialog.open()
        self._reading.begin()

    # What the page says ------------------------------------------------------------------------

    def _connect(self) -> None:
        self.fields.watch(self._changed)
        self.fields.strategy.observe(lambda _change: self._strategy_changed(), names="value")
        self.fields.deploy.on_click(lambda _button: self._deploy_clicked())
        self.fields.cancel.on_click(lambda _button: self._cancelled())
        self.fields.insert.on_click(lambda _button: self._dialog.send(insert=self._line()))

    def _show_inline(self) -> None:
        if not self._has_cell:
            self._give_up()
            return
        with self._lock:
            if not self._finished:
                self._is_inline = True
                self.fields.box.add_class("pxj-inline")
                self._output.show_widget(self.fields.box, wording.TITLE)

    def _shown_in_dialog(self) -> None:
        self._view.allow_insert()
        with self._lock:
            if self._is_inline and not self._finished:
                # A slow page: the cell has the form already.
                self._is_inline = False
                self.fields.box.remove_class("pxj-inline")
                self._output.show(self._placeholder())

    def _placeholder(self) -> dict[str, str]:
        said = (wording.TITLE, self._line())
        return {"text/html": forms.unopened(*said), "text/plain": forms.unopened_text(*said)}

    def _changed(self) -> None:
        if self._refresher != threading.get_ident():
            self._view.forget_failure()
            self._refresh()
            with self._lock:
                may_be_mended = self._verdict.may_be_mended_elsewhere
            if may_be_mended:
                self._reading.read_again()

    def _strategy_changed(self) -> None:
        if self._refresher != threading.get_ident():
            self._view.reset_place()
            self._changed()

    def _deploy_clicked(self) -> None:
        if threading.get_ident() == self._home:
            self._deploy()
        else:
            # A choice made just before may still wait on another thread; see dialog.md, 3.6.
            self._kernel.later(SETTLING_S, self._deploy)

    def _cancelled(self) -> None:
        with self._lock:
            job = self._job
        if job is not None:
            job.cancel()
        else:
            self._give_up()

    def _give_up(self) -> None:
        said = (wording.TITLE, self._line())
        card = {"text/html": forms.given_up(*said), "text/plain": forms.given_up_text(*said)}
        self._finish(card, outcome="cancelled")

    # What is learnt --------------------------------------------------------------------------

    def _learn(self, change: Change) -> None:
        with self._lock:
            self._choices = change(self._choices)
        self._refresh()

    def _cannot_read(self, error: Exception) -> None:
        self._view.fail(Field.WHOLE, error)
        self._refresh()

    def _refresh(self) -> None:
        with self._lock:
            own = threading.get_ident()
            if own == self._refresher or self._finished or self._job is not None:
                return
            self._refresher = own
            try:
                self._view.offer(self._choices, self._asked_for)
                form = self.fields.read()
                self._verdict = judge(form, self._choices)
                self._view.show(form, self._choices, self._verdict)
                self._look_up(form)
            finally:
                self._refresher = None

    def _look_up(self, form: DeployForm) -> None:
        version = self._choices.find_version(form.model)
        if version is not None and version.id not in self._looked_up:
            self._looked_up.add(version.id)
            self._reading.look_up(version)

    def _line(self) -> str:
        form = self.fields.read()
        return form.request(self._choices).line() if form.model else "%deploy MODEL"

    # Deploying ---------------------------------------------------------------------------------

    def _deploy(self) -> None:
        self._refresh()
        with self._lock:
            if self._job is not None or self._finished:
                return
            if self._verdict.plan is None:
                self._dialog.say_busy(False)
                return
            form = self.fields.read()
            self._job = DeployJob(
                self._session.beside(),
                form.request(self._choices),
                on_progress=self._progressed,
                on_end=self._ended,
            )
            self._view.begin(checklist.items(form, self._choices, self._verdict))
        self._dialog.say_busy(True)
        self._job.start()

    def _progressed(self, standing: Standing) -> None:
        with self._lock:
            if self._job is not None:
                self._view.progress(standing)

    def _ended(self, made: Deployment | None, error: Exception | None) -> None:
        with self._lock:
            self._job = None
        self._dialog.say_busy(False)
        if made is not None:
            line = replace(self.fields.read(), name=made.name).request(self._choices).line()
            self._finish(made._repr_mimebundle_(), outcome="deployed", line=line, name=made.name)
            return
        if self._dialog.is_left:
            self._give_up()
            return
        self._view.end(field_of(error) if error else None, error)
        self._reading.begin()
        self._refresh()

    def _finish(
        self, card: Mapping[str, str], *, outcome: str, line: str = "", name: str = ""
    ) -> None:
        with self._lock:
            if self._finished:
                return
            self._finished = True
        self._busy.end()
        self._reading.end()
        self._output.show(card)
        self._dialog.close(outcome=outcome, card=dict(card), line=line, name=name)
        self._kernel.later(CLOSING_S, self.fields.close)
