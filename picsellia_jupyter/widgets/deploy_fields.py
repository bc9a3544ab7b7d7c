"""The widgets of the deploy form and how they lie; they decide nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as w

from picsellia_jupyter.display import forms
from picsellia_jupyter.domain.deployments import Strategy
from picsellia_jupyter.widgets import wording
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.deploy_form import DeployForm, Field

MOST_OPTIONS = 200
"""Versions in the picker; more make it slow and hard to read, and are searched."""
SEARCHED_FROM = 25

_WITHOUT_HINT = (Field.DEVICE, Field.WHOLE)

Options = Sequence[tuple[str, Any]]


class DeployFields:
    """Every widget of the form; `box` holds them all."""

    def __init__(self) -> None:
        self.search = w.Text(description="Search", layout=_wide())
        self.model = w.Dropdown(description="Model version", layout=_wide())
        self.strategy = w.RadioButtons(
            options=wording.strategy_cards(Choices()),
            value=Strategy.SERVING,
            description="Strategy",
        )
        self.threshold = w.FloatSlider(
            value=DeployForm().threshold,
            min=0.0,
            max=1.0,
            step=0.01,
            readout_format=".2f",
            description="Threshold",
            # Told when it is let go: a page holds back quick changes while it waits for the
            # kernel, and a click overtakes them.
            continuous_update=False,
            layout=_wide(),
        )
        self.datalake = w.Dropdown(description="Datalake", layout=_wide())
        self.place = w.Dropdown(description="Runs on", layout=_wide())
        self.device = w.Dropdown(description="Device", layout=_wide())
        self.name = w.Text(
            description="Name",
            placeholder=wording.NAME_ADVICE,
            continuous_update=False,  # as above: `c` would be deployed where `calm-river` is typed
            layout=_wide(),
        )
        self.checks, self.line, self.progress, self.said = (w.HTML() for _ in range(4))
        self.insert = _button("Insert in notebook", "jp-mod-reject")
        self.cancel = _button("Cancel", "jp-mod-reject")
        # From its very first message: a page may show it before there is anything to deploy.
        self.deploy = _button("Deploy", "jp-mod-accept", disabled=True)
        self._hints = {field: w.HTML() for field in Field if field not in _WITHOUT_HINT}
        self._problems = {field: w.HTML() for field in Field}
        self._rows = self._laid_out()
        self.box = self._framed()

    def read(self) -> DeployForm:
        """What stands in them."""
        return DeployForm(
            model=self.model.value or "",
            strategy=self.strategy.value or Strategy.SERVING,
            threshold=float(self.threshold.value),
            datalake=self.datalake.value or "",
            place=self.place.value or "",
            device=self.device.value or "auto",
            name=self.name.value,
        )

    def watch(self, changed: Callable[[], None]) -> None:
        """Have this called whenever the user changes one."""
        for widget in (*self._inputs(), self.search):
            widget.observe(lambda _change: changed(), names="value")

    def offer(self, widget: Any, options: Options, chosen: Any) -> None:
        """Give a picker its options without losing what was chosen, if that is among them."""
        options = tuple(options)
        if tuple(widget.options) != options:
            kept = widget.value if chosen is None else chosen
            values = [value for _, value in options]
            with widget.hold_sync():
                widget.options = options
                # An empty picker that gets options chooses none of them by itself.
                widget.value = kept if kept in values else next(iter(values), None)
        elif chosen is not None and widget.value != chosen:
            widget.value = chosen

    def hint(self, field: Field, html: str) -> None:
        """What is said below a field."""
        _say(self._hints[field], html)

    def problem(self, field: Field, html: str) -> None:
        """What is wrong with it; empty where nothing is."""
        _say(self._problems[field], html)

    def show(self, field: Field, *, shown: bool) -> None:
        """Show a field, or have it absent."""
        _toggle(self._rows[field], shown=shown)

    def freeze(self, *, frozen: bool) -> None:
        """Take no input, as while a deployment is under way."""
        _toggle(self._form, shown=not frozen)
        _toggle(self.deploy, shown=not frozen)
        _toggle(self.progress, shown=frozen)

    def focus(self, field: Field) -> None:
        """Put the keyboard's focus where something is to be mended."""
        inputs = {Field.NAME: self.name, Field.PLACE: self.place, Field.STRATEGY: self.strategy}
        inputs.get(field, self.model).focus()

    def close(self) -> None:
        """Remove them from the page and from the kernel."""
        for widget in _all_below(self.box):
            widget.close()

    def _inputs(self) -> tuple[Any, ...]:
        return (
            self.model, self.strategy, self.threshold, self.datalake,
            self.place, self.device, self.name,
        )  # fmt: skip

    def _laid_out(self) -> dict[Field, Any]:
        self._places = w.HBox([self.place, self.device])
        self._places.add_class("pxj-places")
        self.threshold.add_class("pxj-threshold")
        self.strategy.add_class("pxj-strategy")
        inputs = {
            Field.MODEL: [self.search, self.model],
            Field.STRATEGY: [self.strategy],
            Field.THRESHOLD: [self.threshold],
            Field.DATALAKE: [self.datalake],
            Field.PLACE: [self._places],
            Field.NAME: [self.name],
        }
        return {field: self._row(field, widgets) for field, widgets in inputs.items()}

    def _row(self, field: Field, inputs: list[Any]) -> Any:
        said = [self._hints[field], self._problems[field]]
        if field is Field.PLACE:
            said.append(self._problems[Field.DEVICE])
        for note in said:
            note.add_class("pxj-under")
            _toggle(note, shown=False)
        row = w.VBox([*inputs, *said])
        row.add_class("pxj-row")
        return row

    def _framed(self) -> Any:
        self._form = w.VBox(list(self._rows.values()))
        whole = self._problems[Field.WHOLE]
        foot = w.HBox([self.insert, self.said, self.cancel, self.deploy])
        foot.add_class("pxj-foot")
        for hidden in (whole, self.progress, self.insert, self.search):
            _toggle(hidden, shown=False)
        # Also the heading, which a dialog has itself.
        head = w.HTML(forms.STYLE + forms.heading(wording.TITLE))
        box = w.VBox([head, self._form, self.progress, whole, self.checks, self.line, foot])
        box.add_class("pxj-form")
        return box


def _wide() -> Any:
    # Each widget its own: a layout that is shared hides all that share it.
    return w.Layout(width="auto")


def _button(text: str, kind: str, *, disabled: bool = False) -> Any:
    button = w.Button(description=text, disabled=disabled)
    for name in ("jp-Dialog-button", "jp-mod-styled", kind):
        button.add_class(name)
    return button


def _say(note: Any, html: str) -> None:
    if note.value != html:
        note.value = html
    _toggle(note, shown=bool(html))


def _toggle(widget: Any, *, shown: bool) -> None:
    display = None if shown else "none"
    if widget.layout.display != display:
        widget.layout.display = display


def _all_below(widget: Any) -> list[Any]:
    children = [one for child in getattr(widget, "children", ()) for one in _all_below(child)]
    own = [getattr(widget, name) for name in ("style", "layout") if hasattr(widget, name)]
    return [*children, widget, *own]
