"""A deployment's dashboard as one figure, as HTML and as text."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from picsellia_jupyter.display import style
from picsellia_jupyter.display.units import brief, local_time, milliseconds, printable, span
from picsellia_jupyter.domain.monitoring import Dashboard

SIZE_INCHES = (8.0, 5.6)
DOTS_PER_INCH = 144
MOST_LABELS = 10
"""Bars of the label panel; the rest are summed up in one."""
_FEWEST_BARS = 5
"""Room for this many, so that one or two bars do not fill the panel."""

# One middle grey is legible on a light page and on a dark one alike.
_INK = "#737373"
_INK_ON_DARK = "#b5b5b5"
_GRID_ALPHA = 0.25
_BLUE, _ORANGE = "#1f77b4", "#d55e00"


def dashboard_figure(dashboard: Dashboard, *, dark: bool = False) -> Any:
    """Four panels: predictions over time, latency, scores, label counts.

    Args:
        dashboard: what is drawn.
        dark: ink for a page that is dark for certain; the default reads on both.

    Returns:
        A matplotlib `Figure` on a transparent ground, tied to no window.
    """
    from matplotlib import style as matplotlib_style
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    # A user's own matplotlib settings would break the layout.
    with matplotlib_style.context("default"):
        layout = ConstrainedLayoutEngine(wspace=0.06, hspace=0.08)
        figure = Figure(figsize=SIZE_INCHES, dpi=DOTS_PER_INCH, layout=layout)
        figure.patch.set_alpha(0)
        ink = _INK_ON_DARK if dark else _INK
        (over_time, latency), (scores, labels) = figure.subplots(2, 2)
        for panel in (over_time, latency, scores, labels):
            _plain(panel, ink)
        _draw_predictions(over_time, dashboard, ink)
        _draw_latency(latency, dashboard, ink)
        _draw_scores(scores, dashboard, ink)
        _draw_labels(labels, dashboard, ink)
    return figure


def dashboard_png(dashboard: Dashboard, *, dark: bool = False) -> bytes:
    """The figure as PNG with a transparent ground."""
    from matplotlib import style as matplotlib_style

    stream = io.BytesIO()
    figure = dashboard_figure(dashboard, dark=dark)
    with warnings.catch_warnings(), matplotlib_style.context("default"):
        # Labels may be in a script that matplotlib's font lacks; that is no news to the user.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(stream, format="png", metadata={})
    return stream.getvalue()


def dashboard_html(dashboard: Dashboard) -> str:
    """The dashboard as HTML that needs nothing else: its numbers, then the figure."""
    image = style.picture(
        dashboard_png(dashboard),
        kind="png",
        alt=f"Four charts. {dashboard_text(dashboard)}",
        width=int(SIZE_INCHES[0] * 100),
        css="pxj-chart",
    )
    head = (
        f'<div class="pxj-head"><span class="pxj-name">{style.escape(dashboard.deployment)}</span>'
        f'<span class="pxj-muted">{style.escape(_range_text(dashboard))}</span></div>'
    )
    label = f"Dashboard of {dashboard.deployment}"
    return style.block(head, style.tiles(_numbers(dashboard).items()), image, label=label)


def dashboard_text(dashboard: Dashboard) -> str:
    """The dashboard in a few lines of plain text."""
    numbers = ", ".join(f"{name.lower()} {value}" for name, value in _numbers(dashboard).items())
    lines = [f"{printable(dashboard.deployment)}, {_range_text(dashboard)}", numbers]
    if dashboard.label_counts:
        counts = _top_labels(dashboard.label_counts).items()
        lines.append("labels: " + ", ".join(f"{name} {number:,}" for name, number in counts))
    return "\n".join(lines)


def _range_text(dashboard: Dashboard) -> str:
    length = span(dashboard.until - dashboard.since)
    return f"{length} until {local_time(dashboard.until)}"


def _numbers(dashboard: Dashboard) -> dict[str, str]:
    if not dashboard.inferences:
        return {"Inferences": "none yet"}
    return {
        "Inferences": f"{dashboard.inferences:,}",
        f"{_noun(dashboard).capitalize()}{_over(dashboard)}": f"{dashboard.shapes:,}",
        "Mean latency": milliseconds(dashboard.mean_latency_s),
        "Latency p50": milliseconds(dashboard.p50_s),
        "Latency p95": milliseconds(dashboard.p95_s),
        "Latency p99": milliseconds(dashboard.p99_s),
    }


def _noun(dashboard: Dashboard) -> str:
    # Only a classification has no threshold; its log holds the first class of each image.
    return "answers" if dashboard.threshold is None else "shapes"


def _over(dashboard: Dashboard) -> str:
    return "" if dashboard.threshold is None else f" over {dashboard.threshold:g}"


# Panels --------------------------------------------------------------------------------------


def _plain(panel: Any, ink: str) -> None:
    panel.patch.set_alpha(0)
    panel.spines[["top", "right"]].set_visible(False)
    panel.spines[["left", "bottom"]].set_color(ink)
    panel.tick_params(colors=ink, labelsize=9.5, length=3)
    panel.grid(visible=True, axis="y", color=ink, alpha=_GRID_ALPHA, linewidth=0.8)
    panel.set_axisbelow(True)


def _titled(panel: Any, title: str, sample: int, ink: str) -> None:
    panel.set_title(title, loc="left", color=ink, fontsize=11, fontweight="bold")
    panel.set_title(f"n = {sample:,}", loc="right", color=ink, fontsize=9.5)


def _empty(panel: Any, text: str, ink: str) -> None:
    panel.text(
        0.5, 0.5, text, transform=panel.transAxes, ha="center", va="center", color=ink, fontsize=11
    )
    panel.grid(visible=False)
    panel.set_yticks([])


def _draw_predictions(panel: Any, dashboard: Dashboard, ink: str) -> None:
    series = dashboard.predictions_over_time
    _titled(panel, "Predictions over time", dashboard.inferences, ink)
    _time_axis(panel, dashboard, ink)
    if not dashboard.inferences:
        _empty(panel, "no predictions yet", ink)
        return
    # Those at the two ends may be cut short by the range.
    widths_s = series.edges[1:] - series.edges[:-1]
    width_s = float(widths_s.max())
    panel.bar(
        _dates(series.edges[:-1]), series.counts, width=widths_s / 86_400 * 0.9, align="edge",
        color=_BLUE,
    )  # fmt: skip
    panel.set_ylabel(f"predictions per {span(width_s)}", color=ink, fontsize=10)
    _whole_numbers(panel.yaxis)


def _draw_latency(panel: Any, dashboard: Dashboard, ink: str) -> None:
    _titled(panel, "Latency", dashboard.inferences, ink)
    _time_axis(panel, dashboard, ink)
    if not dashboard.inferences:
        _empty(panel, "no predictions yet", ink)
        return
    at = _dates(dashboard.latency_at)
    p95 = {"marker": "s", "linestyle": "--", "color": _ORANGE, "label": "p95"}
    p50 = {"marker": "o", "linestyle": "-", "color": _BLUE, "label": "p50"}
    panel.plot(at, dashboard.latency_p95_s * 1000, markersize=4, linewidth=1.5, **p95)
    panel.plot(at, dashboard.latency_p50_s * 1000, markersize=4, linewidth=1.5, **p50)
    panel.set_ylim(bottom=0, top=max(float(dashboard.latency_p95_s.max()) * 1200, 0.1))
    panel.set_ylabel("latency (ms)", color=ink, fontsize=10)
    panel.legend(frameon=False, labelcolor=ink, fontsize=9.5, loc="best", ncols=2)


def _draw_scores(panel: Any, dashboard: Dashboard, ink: str) -> None:
    series = dashboard.score_histogram
    total = int(series.counts.sum())
    _titled(panel, "Raw scores", total, ink)
    panel.set_xlim(0, 1)
    panel.set_xlabel("score (0 to 1)", color=ink, fontsize=10)
    if not total:
        _empty(panel, _nothing(dashboard, f"no {_noun(dashboard)}"), ink)
        return
    width = float(series.edges[1] - series.edges[0])
    panel.bar(series.edges[:-1], series.counts, width=width * 0.9, align="edge", color=_BLUE)
    panel.set_ylabel(_noun(dashboard), color=ink, fontsize=10)
    panel.set_ylim(top=int(series.counts.max()) * 1.15)
    _whole_numbers(panel.yaxis)
    if dashboard.threshold is not None:
        _draw_threshold(panel, dashboard.threshold)


def _draw_threshold(panel: Any, threshold: float) -> None:
    panel.axvline(threshold, color=_ORANGE, linewidth=1.8, linestyle="--")
    panel.annotate(
        f"threshold {threshold:g}",
        (threshold, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4 if threshold < 0.5 else -4, -3),
        textcoords="offset points",
        ha="left" if threshold < 0.5 else "right",
        va="top",
        color=_ORANGE,
        fontsize=9.5,
    )


def _draw_labels(panel: Any, dashboard: Dashboard, ink: str) -> None:
    counts = _top_labels(dashboard.label_counts)
    _titled(panel, f"Labels{_over(dashboard)}", dashboard.shapes, ink)
    panel.set_xlabel(_noun(dashboard), color=ink, fontsize=10)
    panel.grid(visible=False, axis="y")
    if not counts:
        _empty(panel, _nothing(dashboard, f"no {_noun(dashboard)}{_over(dashboard)}"), ink)
        panel.set_xticks([])
        return
    # A lone dollar sign would begin a formula.
    names = [brief(name, most=16).replace("$", r"\$") for name in counts]
    bars = panel.barh(range(len(names)), list(counts.values()), height=0.75, color=_BLUE)
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(max(len(names), _FEWEST_BARS) - 0.5, -0.5)
    panel.set_xlim(right=max(counts.values()) * 1.18)
    panel.bar_label(bars, fmt="{:,.0f}", padding=3, color=ink, fontsize=9)
    panel.grid(visible=True, axis="x", color=ink, alpha=_GRID_ALPHA, linewidth=0.8)
    _whole_numbers(panel.xaxis)


def _nothing(dashboard: Dashboard, otherwise: str) -> str:
    return otherwise if dashboard.inferences else "no predictions yet"


def _top_labels(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent labels, and the rest in one sum."""
    names = list(counts)
    if len(names) <= MOST_LABELS:
        return dict(counts)
    top = {name: counts[name] for name in names[: MOST_LABELS - 1]}
    rest = names[MOST_LABELS - 1 :]
    return {**top, f"{len(rest)} others": sum(counts[name] for name in rest)}


# Axes ----------------------------------------------------------------------------------------


def _whole_numbers(axis: Any) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=5, integer=True, min_n_ticks=1))
    axis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:,.0f}"))


def _dates(at: Iterable[float]) -> list[datetime]:
    return [datetime.fromtimestamp(float(moment), tz=timezone.utc) for moment in at]


def _time_axis(panel: Any, dashboard: Dashboard, ink: str) -> None:
    """The reader's own clock, named with its zone."""
    from matplotlib.dates import AutoDateLocator, DateFormatter

    begin, end = (moment.astimezone() for moment in _dates([dashboard.since, dashboard.until]))
    panel.xaxis.set_major_locator(AutoDateLocator(tz=end.tzinfo, minticks=3, maxticks=5))
    form = _tick_form(dashboard.until - dashboard.since)
    panel.xaxis.set_major_formatter(DateFormatter(form, tz=end.tzinfo))
    panel.set_xlim(begin, end)
    days = f"{begin:%Y-%m-%d}"
    if begin.date() != end.date():
        days += f" to {end:%m-%d}" if begin.year == end.year else f" to {end:%Y-%m-%d}"
    panel.set_xlabel(f"{days}, local time ({end.tzname()})", color=ink, fontsize=9.5)


def _tick_form(length_s: float) -> str:
    """How the ticks of a range are written, coarser the longer it is."""
    forms = ((600, "%H:%M:%S"), (2 * 86_400, "%H:%M"), (300 * 86_400, "%d %b"))
    return next((form for most, form in forms if length_s <= most), "%b %Y")
