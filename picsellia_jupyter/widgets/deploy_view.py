"""Puts into the fields of the deploy form what is known and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import forms, progress
from picsellia_jupyter.display.units import count
from picsellia_jupyter.domain.checklist import Item, Mark
from picsellia_jupyter.domain.errors import PicselliaJupyterError, ServingError
from picsellia_jupyter.widgets import checklist, wording
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.deploy_fields import MOST_OPTIONS, SEARCHED_FROM, DeployFields
from picsellia_jupyter.widgets.deploy_form import (
    DeployForm,
    Field,
    Verdict,
    default_place,
    takes_place,
    takes_threshold,
)
from picsellia_jupyter.widgets.deploy_job import Standing

_READING = "Reading the Private Model Registry …"
_EMPTY = "The Private Model Registry has no models yet."
_FILL_IT = "Register the demo models with: picsellia-jupyter demo seed"
_BUSY = "The kernel is busy with a cell: what you do here may wait until it is done."
_UNDOING = "Cancelling: what was made is being undone …"
_STOPPED = "Cancelled. Nothing was left behind."
_NOTHING = "\u00a0"


class DeployView:
    """Draws the form; knows nothing of threads, dialogs or cells."""

    def __init__(self, fields: DeployFields, *, place: str = "") -> None:
        """Draw nothing yet.

        Args:
            fields: to draw in.
            place: chosen beforehand; the strategy's own if none is.
        """
        self._fields = fields
        self._wanted_place = place
        self._failure: tuple[Field, str] | None = None
        self._checks: tuple[Item, ...] = ()
        self._place: str | None = None
        self._note = ""
        self._is_busy = False
        self._undoing = False

    # While it is filled in ---------------------------------------------------------------------

    def offer(self, choices: Choices, asked_for: str) -> None:
        """Fill the pickers; what was chosen stays chosen where it is still there."""
        fields = self._fields
        self._offer_versions(choices, asked_for)
        fields.offer(fields.strategy, wording.strategy_cards(choices), None)
        fields.offer(fields.datalake, wording.datalake_options(choices), None)
        form = fields.read()
        if self._place is None:
            self._place = self._wanted_place or default_place(form.strategy, choices)
            fields.offer(fields.place, wording.place_options(form, choices), self._place)
        else:
            fields.offer(fields.place, wording.place_options(form, choices), None)
        fields.offer(fields.device, wording.device_options(fields.read(), choices), None)

    def reset_place(self) -> None:
        """Choose the place anew, as the strategy has changed."""
        self._place = None

    def _offer_versions(self, choices: Choices, asked_for: str) -> None:
        fields = self._fields
        everything = choices.all_versions()
        words = fields.search.value.lower().split()
        found = [v for v in everything if all(word in v.title.lower() for word in words)]
        found.sort(key=lambda v: asked_for not in (v.title, v.model_name))
        options = [(v.title, v.title) for v in found[:MOST_OPTIONS]]
        missing = _READING if not choices.is_read else "None found" if everything else _EMPTY
        fields.offer(fields.model, options or [(missing, "")], None)
        fields.model.disabled = not everything
        searched = fields.search
        shown = len(everything) > SEARCHED_FROM
        searched.layout.display = None if shown else "none"
        searched.placeholder = f"{count(len(everything), 'version')}: type a part of a name"

    def show(self, form: DeployForm, choices: Choices, verdict: Verdict) -> None:
        """Say of every field what is to be said."""
        fields = self._fields
        version = choices.find_version(form.model)
        fields.show(Field.THRESHOLD, shown=takes_threshold(version))
        fields.show(Field.DATALAKE, shown=len(choices.lakes) > 1)
        fields.show(Field.PLACE, shown=takes_place(form.strategy, choices))
        fields.device.layout.display = None if form.place else "none"
        facts = wording.version_facts(version, choices) if version else ""
        for field, text in {
            Field.MODEL: facts or ("" if choices.listed or not choices.is_read else _FILL_IT),
            # Its line stays, so that choosing another strategy moves nothing below.
            Field.STRATEGY: wording.cost(form, choices) or _NOTHING,
            Field.THRESHOLD: wording.THRESHOLD_ADVICE,
            Field.DATALAKE: wording.storage(form.datalake, choices),
            Field.PLACE: wording.place_facts(form, choices),
            Field.NAME: wording.name_facts(verdict),
        }.items():
            fields.hint(field, forms.hint(text))
        self._show_problems(verdict)
        self._show_checks(self._judged(checklist.items(form, choices, verdict)))
        fields.line.value = forms.line(form.request(choices).line()) if version else ""
        fields.deploy.disabled = verdict.plan is None
        self._say()

    def _show_problems(self, verdict: Verdict) -> None:
        shown = {field: _problem(error) for field, error in verdict.problems.items()}
        if self._failure:
            shown.setdefault(*self._failure)
        for field in Field:
            self._fields.problem(field, shown.get(field, ""))

    def _show_checks(self, items: Sequence[Item]) -> None:
        self._checks = tuple(items)
        self._fields.checks.value = forms.checklist(items)

    def _judged(self, items: Sequence[Item]) -> list[Item]:
        """The checklist after a model could not be loaded or failed its dry run."""
        failed = self._failure is not None and self._failure[0] is Field.MODEL
        wrong = Item("Dry run", "failed; see above", Mark.WRONG)
        return [wrong if failed and one.name == wrong.name else one for one in items]

    def allow_insert(self) -> None:
        """Offer to insert the line, since somebody is there who can."""
        self._fields.insert.layout.display = None

    def say_busy(self, is_busy: bool) -> None:
        """Say whether a cell keeps the kernel busy."""
        self._is_busy = is_busy
        self._say()

    def _say(self) -> None:
        text = _UNDOING if self._undoing else _BUSY if self._is_busy else self._note
        said = forms.status(text)
        if self._fields.said.value != said:
            self._fields.said.value = said

    # While it deploys ----------------------------------------------------------------------------

    def begin(self, items: Sequence[Item]) -> None:
        """Give the progress the room of the fields."""
        fields = self._fields
        self._failure, self._note = None, ""
        for field in Field:
            fields.problem(field, "")
        self._show_checks(items)
        fields.progress.value = progress.progress_card((), 0.0)
        fields.freeze(frozen=True)
        self._say()
        fields.cancel.focus()

    def progress(self, standing: Standing) -> None:
        """Show how far it is."""
        fields = self._fields
        fields.progress.value = progress.progress_card(standing.steps, standing.elapsed_s)
        fields.checks.value = forms.checklist(
            checklist.with_findings(self._checks, standing.checks)
        )
        self._undoing = standing.is_cancelled
        fields.cancel.disabled = standing.is_cancelled
        self._say()

    def end(self, field: Field | None, error: Exception | None) -> None:
        """Give the fields their room again, with what went wrong where it belongs."""
        self._undoing = False
        self._note = "" if error else _STOPPED
        self._fields.cancel.disabled = False
        self._fields.freeze(frozen=False)
        if field is not None and error is not None:
            self.fail(field, error)
            self._fields.focus(field)

    def fail(self, field: Field, error: Exception) -> None:
        """Keep what went wrong, until something is changed."""
        self._failure = (field, _problem(error))

    def forget_failure(self) -> None:
        """Something was changed, so it may go well now."""
        self._failure, self._note = None, ""


def _problem(error: Exception) -> str:
    if isinstance(error, PicselliaJupyterError):
        tail = error.log_tail if isinstance(error, ServingError) else ()
        return forms.problem(error.fact, error.remedy) + forms.log(tail)
    return forms.problem(f"{type(error).__name__}: {error}")
