"""One setting of a panel: a field, how its way to the platform is, and the Python for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as w

from picsellia_jupyter.display import forms
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.widgets.settings_model import Phase, Setting, SettingState, Value, line

_SAID = {Phase.SAVING: "Saving …", Phase.SAVED: "Saved."}


class SettingRow:
    """A field that saves itself as soon as it is changed."""

    def __init__(self, setting: Setting, field: Any, hint: str = "") -> None:
        """Show nothing yet.

        Args:
            setting: which one.
            field: its widget.
            hint: what is to be known of it, in a sentence or two.
        """
        self.setting = setting
        self.field = field
        self._hint = w.HTML(forms.hint(hint))
        self._said, self._problem, self._line = w.HTML(), w.HTML(), w.HTML()
        below = [self._hint, self._said, self._problem, self._line]
        for note in below:
            note.add_class("pxj-under")
        self.box = w.VBox([field, *below])
        self.box.add_class("pxj-row")

    def watch(self, changed: Callable[[SettingRow], None]) -> None:
        """Have this called whenever the field has another value."""
        self.field.observe(lambda _change: changed(self), names="value")

    @property
    def value(self) -> Value:
        """What stands in the field."""
        value: Value = self.field.value
        return value

    def offer(self, options: list[tuple[str, str]], chosen: Value) -> None:
        """Give a picker its options."""
        if tuple(self.field.options) != tuple(options):
            with self.field.hold_sync():
                self.field.options = options
                self.field.value = chosen if chosen in [v for _, v in options] else None

    def show(self, state: SettingState) -> None:
        """Say how it stands; the field itself is left alone while the user is at it."""
        if state.phase in (Phase.KEPT, Phase.SAVED) and self.field.value != state.stored:
            self._fill(state.stored)
        is_changed = state.phase is not Phase.KEPT
        put(self._said, forms.status(_SAID.get(state.phase, "")) if is_changed else "")
        put(self._problem, problem(state.error) if state.error else "")
        is_good = state.phase in (Phase.SAVING, Phase.SAVED)
        put(self._line, forms.line(line(self.setting, state.wanted)) if is_good else "")
        put(self._hint, self._hint.value)

    def _fill(self, value: Value) -> None:
        options = getattr(self.field, "options", None)
        if options is not None and value not in [one for _, one in options]:
            # Until it is known what else can be chosen.
            self.field.options = [*options, (str(value or "None"), value)]
        self.field.value = value


def put(note: Any, html: str) -> None:
    """Have it say this; without room where that is nothing, and without a flicker."""
    if note.value != html:
        note.value = html
    toggle(note, shown=bool(html))


def toggle(widget: Any, *, shown: bool) -> None:
    """Show a widget, or have it absent."""
    display = None if shown else "none"
    if widget.layout.display != display:
        widget.layout.display = display


def problem(error: Exception) -> str:
    """What went wrong, and what to do about it."""
    if isinstance(error, PicselliaJupyterError):
        return forms.problem(error.fact, error.remedy)
    return forms.problem(f"{type(error).__name__}: {error}")


def button(text: str, kind: str = "jp-mod-reject") -> Any:
    """A button as the dialogs of the page have them."""
    made = w.Button(description=text)
    for name in ("jp-Dialog-button", "jp-mod-styled", kind):
        made.add_class(name)
    return made


def below(widget: Any) -> list[Any]:
    """A widget and all that it holds."""
    children = [one for child in getattr(widget, "children", ()) for one in below(child)]
    own = [getattr(widget, name) for name in ("style", "layout") if hasattr(widget, name)]
    return [*children, widget, *own]
