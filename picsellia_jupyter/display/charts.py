"""A chart: numbers in columns, how they are drawn, and the picture of them.

Titles, samples and units stand in HTML around the picture, where they can be read, found and
copied; the picture holds axes alone. Figures are matplotlib's own objects, tied to no window.
"""

from __future__ import annotations

import io
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.display import style
from picsellia_jupyter.display.units import brief, printable

WIDTH, HEIGHT = 440, 200
"""CSS pixels."""
DOTS_PER_INCH = 144
LEFT, RIGHT, BOTTOM, TOP = 0.115, 0.965, 0.14, 0.965
"""Edges of the axes as shares of the picture: buttons lie over the bins."""
_LEFT_OF_NAMES = 0.3
_TOP_UNDER_LEGEND = 0.86
_SIGNS = 17
"""Of a name on an axis."""

# One middle grey is legible on a light page and on a dark one, turned round or not.
INK = "#737373"
BLUE, ORANGE, GREEN, GREY = "#1f77b4", "#d55e00", "#117a52", "#9a9a9a"
_GRID_ALPHA = 0.25
_FONT_POINTS = 9
_LAST_TICK = 0.96
_BAR = 0.92
"""Of a bin that its bar fills."""

Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """What one chart shows."""

    name: str
    """Of its data: `latency`; a file name without its ending."""
    title: str
    """With the unit."""
    sample: str
    """What was counted: `n = 1,200 predictions`."""
    said: str
    """What it shows, in a sentence, for those who cannot see it."""
    columns: Columns
    """What is drawn, by name, all of one length; times in seconds since the epoch, UTC."""
    draw: Callable[[Any], None]
    """Draws into matplotlib axes."""
    span: tuple[float, float] | None = None
    """Both ends of a time axis, seconds since the epoch, UTC."""
    has_names: bool = False
    """Whether names stand at the left."""
    has_legend: bool = False
    """Whether lines are named above the axes."""
    colours: Sequence[tuple[str, str]] = ()
    """Names of what is drawn and their colours; they may be long, and stand in HTML."""


def get_ready() -> None:
    """Begin to import what draws, beside whatever else is done or waited for."""
    if "matplotlib.figure" not in sys.modules:
        threading.Thread(target=_import, name="charts").start()


def _import() -> None:
    for name in ("matplotlib.style", "matplotlib.backends.backend_agg", "matplotlib.figure"):
        with suppress(ImportError):  # whoever draws is told
            import_module(name)


def figure_of(chart: Chart) -> Any:
    """The chart as a matplotlib `Figure` on a transparent ground."""
    from matplotlib import style as matplotlib_style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # A user's own matplotlib settings would break the layout.
    with matplotlib_style.context("default"):
        figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=DOTS_PER_INCH)
        FigureCanvasAgg(figure)
        figure.patch.set_alpha(0)
        left = _LEFT_OF_NAMES if chart.has_names else LEFT
        top = _TOP_UNDER_LEGEND if chart.has_legend else TOP
        panel = figure.add_axes((left, BOTTOM, RIGHT - left, top - BOTTOM))
        _plain(panel)
        if chart.span is not None:
            _time_axis(panel, *chart.span)
        chart.draw(panel)
        if chart.has_legend:
            _legend(panel)
    return figure


def png_of(chart: Chart) -> bytes:
    """The chart as PNG with a transparent ground."""
    from matplotlib import style as matplotlib_style

    stream = io.BytesIO()
    figure = figure_of(chart)
    with warnings.catch_warnings(), matplotlib_style.context("default"):
        # Labels may be in a script that matplotlib's font lacks; that is no news to the user.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(stream, format="png", metadata={})
    return stream.getvalue()


def html_of(chart: Chart, over: str = "") -> str:
    """The chart as a figure with its caption.

    Args:
        chart: what is shown.
        over: HTML that lies over the picture.
    """
    alt = f"{chart.title}. {chart.said}"
    # Colours of labels are those of the viewer in any page; all others turn with a dark one.
    css = "pxj-coloured" if chart.colours else "pxj-chart"
    image = style.picture(png_of(chart), kind="png", alt=alt, width=WIDTH, css=css)
    return (
        f'<figure class="pxj-figure"><figcaption><strong>{style.escape(chart.title)}</strong> '
        f'<span class="pxj-muted">{style.escape(chart.sample)}</span></figcaption>'
        f'{_colours(chart)}<div class="pxj-over">{image}{over}</div></figure>'
    )


def _colours(chart: Chart) -> str:
    if not chart.colours:
        return ""
    items = "".join(
        f'<span><span class="pxj-swatch" style="background-color:{colour}"></span>'
        f"{style.escape(brief(name, most=_SIGNS))}</span>"
        for name, colour in chart.colours
    )
    return f'<div class="pxj-colours pxj-muted">{items}</div>'


# What charts share ---------------------------------------------------------------------------


def shown_name(name: str, most: int = _SIGNS) -> str:
    """A name as matplotlib can draw it: a lone dollar sign would begin a formula."""
    return brief(printable(name), most=most).replace("$", r"\$")


def dates(at: Iterable[float]) -> list[datetime]:
    """Moments as matplotlib takes them."""
    return [datetime.fromtimestamp(float(moment), tz=timezone.utc) for moment in at]


def whole_numbers(axis: Any, most: int = 5) -> None:
    """Ticks at whole numbers alone, with commas in thousands."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=most, integer=True, min_n_ticks=1))
    axis.set_major_formatter(FuncFormatter(lambda value, _position: short_number(value)))


def percent(axis: Any) -> None:
    """Ticks of shares as percentages."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=5))
    axis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value * 100:g} %"))


def short_number(value: float) -> str:
    """A number that fits beside an axis: `950`, `12k`, `3.5M`."""
    for size, sign in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            unit = 1e3 if sign == "k" else size
            return f"{value / unit:.4g}{sign}"
    return f"{value:,.0f}"


def bars(
    panel: Any,
    edges: NDArray[np.float64],
    heights: Any,
    tone: str,
    floor: Any = 0,
    *,
    outlined: bool = False,
) -> None:
    """Upright bars over bins, as one artist: matplotlib's own `bar` makes one of each.

    Args:
        panel: matplotlib axes.
        edges: (T + 1,) of the bins.
        heights: (T,)
        tone: their colour.
        floor: (T,) what they stand upon, or one number for all.
        outlined: whether a thin line is around each, for tones that may be close to the page's.
    """
    from matplotlib.collections import PolyCollection

    left, right = edges[:-1], edges[:-1] + (edges[1:] - edges[:-1]) * _BAR
    low = np.broadcast_to(np.asarray(floor, np.float64), left.shape)
    high = low + heights
    corners = ((left, low), (left, high), (right, high), (right, low))
    outlines = np.stack([np.column_stack(corner) for corner in corners], axis=1)
    line: dict[str, Any] = {"linewidths": 0.6 if outlined else 0, "edgecolors": INK}
    panel.add_collection(PolyCollection(list(outlines), facecolors=tone, **line))
    panel.autoscale_view()


def along_names(panel: Any) -> None:
    """Lines across horizontal bars."""
    panel.grid(visible=False, axis="y")
    panel.grid(visible=True, axis="x", color=INK, alpha=_GRID_ALPHA, linewidth=0.8)


def _plain(panel: Any) -> None:
    panel.patch.set_alpha(0)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(INK)
    panel.tick_params(colors=INK, labelsize=_FONT_POINTS, length=3)
    panel.grid(visible=True, axis="y", color=INK, alpha=_GRID_ALPHA, linewidth=0.8)
    panel.set_axisbelow(True)
    panel.margins(y=0.08)


def _legend(panel: Any) -> None:
    panel.legend(
        frameon=False, labelcolor=INK, fontsize=_FONT_POINTS, ncols=6, loc="lower left",
        bbox_to_anchor=(-0.02, 0.98), borderpad=0, handlelength=1.4, columnspacing=1.0,
        handletextpad=0.4,
    )  # fmt: skip


def _time_axis(panel: Any, since: float, until: float) -> None:
    """The reader's own clock."""
    from matplotlib.dates import AutoDateLocator, DateFormatter, date2num
    from matplotlib.ticker import FixedLocator

    begin, end = (moment.astimezone() for moment in dates([since, until]))
    found = AutoDateLocator(tz=end.tzinfo, minticks=3, maxticks=5).tick_values(begin, end)
    low, high = date2num(begin), date2num(end)
    # The name of a moment close to an end would be cut off.
    kept = [at for at in found if 0.03 <= (at - low) / (high - low) <= _LAST_TICK]
    panel.xaxis.set_major_locator(FixedLocator(kept))
    panel.xaxis.set_major_formatter(DateFormatter(_tick_form(until - since), tz=end.tzinfo))
    panel.set_xlim(begin, end)


def _tick_form(length_s: float) -> str:
    """How the ticks of a range are written, coarser the longer it is."""
    forms = ((600, "%H:%M:%S"), (2 * 86_400, "%H:%M"), (300 * 86_400, "%d %b"))
    return next((form for most, form in forms if length_s <= most), "%b %Y")
