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
        self.search = w.Text(description="Search", layout=_wide(shown=False))
        self.model = w.Dropdown(description="Model version", layout=_wide())
        self.strategy = w.RadioButtons(
            options=wording.strategy_cards(Choices()),
            value=Strategy.SERVING,
            description="Strategy",
            _dom_classes=("pxj-strategy",),
        )
        self.threshold = w.FloatSlider(
            value=DeployForm().threshold,
            min=0.0,
            max=1.0,
            step=0.01,
            readout_format=".2f",
            description="Threshold",
            _dom_classes=("pxj-threshold",),
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
        notes = _Notes()
        self.checks, self.line, self.said = (notes.make() for _ in range(3))
        self.progress = notes.make(shown=False)
        self.insert = _button("Insert in notebook", "jp-mod-reject", shown=False)
        self.cancel = _button("Cancel", "jp-mod-reject")
        # From its very first message: a page may show it before there is anything to deploy.
        self.deploy = _button("Deploy", "jp-mod-accept", disabled=True)
        self._hints = {field: notes.under() for field in Field if field not in _WITHOUT_HINT}
        self._problems: dict[Field, Any] = {
            part: notes.under() for part in Field if part is not Field.WHOLE
        }
        self._problems[Field.WHOLE] = notes.make(shown=False)
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
        places = w.HBox([self.place, self.device], _dom_classes=("pxj-places",))
        inputs = {
            Field.MODEL: [self.search, self.model],
            Field.STRATEGY: [self.strategy],
            Field.THRESHOLD: [self.threshold],
            Field.DATALAKE: [self.datalake],
            Field.PLACE: [places],
            Field.NAME: [self.name],
        }
        return {field: self._row(field, widgets) for field, widgets in inputs.items()}

    def _row(self, field: Field, inputs: list[Any]) -> Any:
        said = [self._hints[field], self._problems[field]]
        if field is Field.PLACE:
            said.append(self._problems[Field.DEVICE])
        return w.VBox([*inputs, *said], _dom_classes=("pxj-row",))

    def _framed(self) -> Any:
        self._form = w.VBox(list(self._rows.values()))
        whole = self._problems[Field.WHOLE]
        buttons = [self.insert, self.said, self.cancel, self.deploy]
        foot = w.HBox(buttons, _dom_classes=("pxj-foot",))
        # Also the heading, which a dialog has itself.
        head = w.HTML(forms.STYLE + forms.heading(wording.TITLE))
        parts = [head, self._form, self.progress, whole, self.checks, self.line, foot]
        return w.VBox(parts, _dom_classes=("pxj-form",))


class _Notes:
    """Makes what is only read.

    Classes and layouts are given at once, and the style is shared by all: what follows later is a
    message each, to a page that waits for the form.
    """

    def __init__(self) -> None:
        self._style: Any = None

    def make(self, *classes: str, shown: bool = True) -> Any:
        """A note without words."""
        given = {"style": self._style} if self._style else {}
        note = w.HTML(layout=_layout(shown=shown), _dom_classes=classes, **given)
        self._style = note.style
        return note

    def under(self) -> Any:
        """One below a field, hidden as long as it says nothing."""
        return self.make("pxj-under", shown=False)


def _wide(*, shown: bool = True) -> Any:
    return _layout(shown=shown, width="auto")


def _layout(*, shown: bool, **sizes: str) -> Any:
    # Each widget its own: a layout that is shared hides all that share it.
    return w.Layout(display=None if shown else "none", **sizes)


def _button(text: str, kind: str, *, disabled: bool = False, shown: bool = True) -> Any:
    return w.Button(
        description=text,
        disabled=disabled,
        layout=_layout(shown=shown),
        _dom_classes=("jp-Dialog-button", "jp-mod-styled", kind),
    )


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
