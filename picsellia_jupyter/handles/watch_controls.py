"""The controls above a live dashboard: range, filters, images, and a button that stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from picsellia_jupyter.domain.dashboards import Choices, Filters
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.workflows.ranges import Moment, range_of

RANGES = ("1h", "24h", "7d", "30d", "all")
BETWEEN = " to "
_ALL = "all"
_WIDGETS = "application/vnd.jupyter.widget-view+json"
_NAMES = ("version", "label", "tag", "source")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is watched."""

    last: str
    """Of no meaning where `since` is given."""
    filters: Filters = field(default_factory=Filters)
    since: Moment | None = None
    until: Moment | None = None
    images: tuple[Moment, Moment] | None = None
    """The range whose images are shown below."""


class Controls:
    """Widgets; what is drawn or clicked in the dashboard is written into two of their fields."""

    def __init__(
        self,
        wanted: Wanted,
        choices: Choices,
        want: Callable[[Wanted], None],
        stop: Callable[[], None],
    ) -> None:
        """Show them.

        Args:
            wanted: at first.
            choices: what can be filtered by.
            want: told what is chosen.
            stop: called at a click on *Stop*.
        """
        import ipywidgets as w

        self._wanted, self._tell, self._is_own = wanted, want, False
        spans = dict.fromkeys([*RANGES, *([] if _is_fixed(wanted) else [wanted.last])])
        self.range = w.ToggleButtons(
            options=list(spans), value=None if _is_fixed(wanted) else wanted.last,
            style={"button_width": "auto"},
            tooltips=[f"The last {one}" if one != _ALL else "Everything" for one in spans],
        )  # fmt: skip
        self.between = self._field("Range", "pxj-range", "A range, or draw over a chart")
        self.between.value = _spelled(wanted)
        self.images = self._field("Images", "pxj-images", "Images of a range, or click a bar")
        self.filters = {
            name: self._dropdown(name, getattr(choices, f"{name}s"))
            for name in _NAMES
            if getattr(choices, f"{name}s") or getattr(wanted.filters, name)
        }
        self.stopping = w.Button(description="Stop", tooltip="Leave the dashboard as it is")
        self._said = w.Label("")
        self.range.observe(lambda change: self._last_chosen(change["new"]), "value")
        self.between.observe(lambda _change: self._range_written(), "value")
        self.images.observe(lambda _change: self._images_asked(), "value")
        for one in self.filters.values():
            one.observe(lambda _change: self._filtered(), "value")
        self.stopping.on_click(lambda _button: stop())
        flow = w.Layout(flex_flow="row wrap", grid_gap="4px", align_items="center")
        self.box = w.Box(
            [
                self.range,
                self.between,
                self.images,
                *self.filters.values(),
                self.stopping,
                self._said,
            ],
            layout=flow,
        )
        self.name = f"pxj-watch-{self.box.model_id}"
        """The class that the dashboard's page finds them by."""
        self.box.add_class(self.name)
        self._handle = shown({_WIDGETS: _view(self.box), "text/plain": "Live"})

    def say(self, trouble: str) -> None:
        """What keeps the dashboard from being up to date; nothing where it is."""
        if self._said.value != trouble:
            self._said.value = trouble

    def end(self) -> None:
        """Give way to a line of text."""
        ended = f"Live until {time.strftime('%H:%M:%S')}"
        self._handle.update({"text/plain": ended}, raw=True)
        self.box.close()

    def _field(self, name: str, css: str, hint: str) -> Any:
        import ipywidgets as w

        made = w.Text(
            description=name, placeholder=hint, tooltip=f"{hint}: FROM to UNTIL",
            continuous_update=False, layout=w.Layout(width="390px", max_width="100%"),
            style={"description_width": "auto"},
        )  # fmt: skip
        made.add_class(css)
        return made

    def _dropdown(self, name: str, options: tuple[str, ...]) -> Any:
        import ipywidgets as w

        now = getattr(self._wanted.filters, name)
        known = dict.fromkeys([*options, *([now] if now else [])])
        told = [(_ALL, ""), *((one, one) for one in known)]
        return w.Dropdown(
            description=name.capitalize(), options=told, value=now or "",
            layout=w.Layout(width="auto"), style={"description_width": "auto"},
        )  # fmt: skip

    # What is chosen --------------------------------------------------------------------------

    def _last_chosen(self, last: str | None) -> None:
        if self._is_own or last is None:
            return
        with self._by_itself():
            self.between.value = ""
        self._want(replace(self._wanted, last=last, since=None, until=None))

    def _range_written(self) -> None:
        if self._is_own:
            return
        written = self._read(self.between.value)
        if written is None:
            return
        with self._by_itself():
            self.range.value = None
        self._want(replace(self._wanted, since=written[0], until=written[1]))

    def _images_asked(self) -> None:
        written = self._read(self.images.value)
        if written is not None:
            self._want(replace(self._wanted, images=written))

    def _filtered(self) -> None:
        chosen = {name: one.value or None for name, one in self.filters.items()}
        wanted = self._wanted
        self._want(replace(wanted, filters=replace(wanted.filters, **chosen)))

    def _want(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._tell(wanted)

    def _read(self, written: str) -> tuple[Moment, Moment] | None:
        """The two ends of a range; what cannot be read is said."""
        if not written.strip():
            return None
        since, _, until = written.partition(BETWEEN)
        if not until:
            self.say("Write a range as 2026-11-28T02:10 to 2026-11-28T03:10.")
            return None
        try:
            range_of(_ALL, since, until, now=time.time())
        except InvalidInputError as error:
            self.say(str(error))
            return None
        return since.strip(), until.strip()

    @contextmanager
    def _by_itself(self) -> Iterator[None]:
        """What changes meanwhile was not chosen by a person."""
        self._is_own = True
        try:
            yield
        finally:
            self._is_own = False


def _is_fixed(wanted: Wanted) -> bool:
    return wanted.since is not None or wanted.until is not None


def _spelled(wanted: Wanted) -> str:
    ends = (wanted.since, wanted.until)
    return BETWEEN.join(map(str, ends)) if None not in ends else ""


def _view(widget: Any) -> dict[str, Any]:
    return {"version_major": 2, "version_minor": 0, "model_id": widget.model_id}


def shown(bundle: dict[str, Any]) -> Any:
    """Display a bundle; the handle that updates it."""
    from IPython.display import display

    return display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
