"""Bins of time that one can choose: buttons over a chart, and the numbers of each bin."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np

from picsellia_jupyter.display import style
from picsellia_jupyter.display.charts import Chart
from picsellia_jupyter.display.tables import html_table
from picsellia_jupyter.display.units import count, milliseconds
from picsellia_jupyter.domain.dashboards import DashboardReport

_OVER = ("inferences", "latency", "errors")
_HEADS = ["From", "To", "Inferences", "Latency p50", "p95", "p99"]


def buttons(report: DashboardReport, chart: Chart) -> str:
    """A button over each bin of a chart of the overview; nothing over another one."""
    if chart.name not in _OVER:
        return ""
    series = report.figures.predictions_over_time
    since, until = report.figures.since, report.figures.until
    edges = series.edges
    starts = (series.edges[:-1] - since) / (until - since) * 100
    widths = (series.edges[1:] - series.edges[:-1]) / (until - since) * 100
    items = "".join(
        f'<button type="button" tabindex="{-1 if row else 0}" aria-pressed="false" '
        f'style="left:{starts[row]:.2f}%;width:{widths[row]:.2f}%" '
        f'data-since="{iso(float(edges[row]))}" data-until="{iso(float(edges[row + 1]))}" '
        f'aria-label="{style.escape(said)}" title="{style.escape(said)}"></button>'
        for row, said in enumerate(_said(report))
    )
    low = " pxj-low" if chart.has_legend else ""
    label = f"{chart.title}, by time; arrow keys move, with Shift they choose a range"
    return (
        f'<div class="pxj-bins{low}" role="group" aria-label="{style.escape(label)}">{items}</div>'
    )


def _taking(report: DashboardReport, row: int) -> str:
    """What one types to see the images of a bin."""
    edges = report.figures.predictions_over_time.edges
    since, until = iso(float(edges[row])), iso(float(edges[row + 1]))
    return f'd.predicted(since="{since}", until="{until}")'


def numbers(report: DashboardReport) -> str:
    """The numbers of each bin, folded up, and how to see its images."""
    table = html_table(_HEADS, _rows(report), numbers=_HEADS[2:])
    series = report.figures.predictions_over_time
    fullest = int(np.argmax(series.counts)) if len(series.counts) else 0
    code = style.escape(_taking(report, fullest))
    return (
        '<details class="pxj-times" data-part="times"><summary><strong>Numbers by time</strong> '
        '<span class="pxj-muted">and their images; click a bar, or draw over several for their '
        f'range</span></summary>{table}<p class="pxj-take pxj-muted"><span>Their images: </span>'
        f"<code>{code}</code></p></details>"
    )


def iso(at: float) -> str:
    """A moment on the reader's clock, to be read back: `2026-11-28T02:10`."""
    when = datetime.fromtimestamp(at, tz=timezone.utc).astimezone().replace(tzinfo=None)
    if when.microsecond:
        return when.isoformat(timespec="milliseconds")
    return when.isoformat(timespec="seconds" if when.second else "minutes")


def _said(report: DashboardReport) -> list[str]:
    series = report.figures.predictions_over_time
    return [
        f"{clock(low)} to {clock(high)}: {count(int(number), 'prediction')}"
        for low, high, number in zip(
            series.edges[:-1], series.edges[1:], series.counts, strict=True
        )
    ]


def clock(at: float) -> str:
    """A moment as a row of the table tells it: `28 Nov 02:10`."""
    when = datetime.fromtimestamp(float(at), tz=timezone.utc).astimezone()
    return f"{when:%d %b %H:%M}" + (f":{when:%S}" if when.second else "")


def _rows(report: DashboardReport) -> list[list[str]]:
    figures, series = report.figures, report.figures.predictions_over_time
    middles = ((series.edges[:-1] + series.edges[1:]) / 2).tolist()
    latencies = {
        at: [milliseconds(seconds) for seconds in row]
        for at, *row in zip(
            figures.latency_at.tolist(), figures.latency_p50_s, figures.latency_p95_s,
            figures.latency_p99_s, strict=True,
        )
    }  # fmt: skip
    return [
        [clock(low), clock(high), f"{int(number):,}", *latencies.get(middle, ["", "", ""])]
        for low, high, number, middle in zip(
            series.edges[:-1], series.edges[1:], series.counts, middles, strict=True
        )
    ]
