"""The charts of what a deployment predicted: each from the figures that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.display.charts import (
    BLUE,
    GREY,
    INK,
    ORANGE,
    Chart,
    along_names,
    bars,
    dates,
    percent,
    shown_name,
    whole_numbers,
)
from picsellia_jupyter.display.palette import tone_of
from picsellia_jupyter.display.units import count, milliseconds, span
from picsellia_jupyter.domain.dashboards import DashboardReport, Errors, Outliers
from picsellia_jupyter.domain.monitoring import Dashboard, Series

MOST_LABELS = 10
"""Bars of a chart of labels; the rest is summed up in one."""
_DAY = 86_400  # matplotlib counts in days
_LINE = {"linewidth": 1.6, "markersize": 3.5}


def noun(figures: Dashboard) -> str:
    """What the model gives: only a classification has no threshold."""
    return "answer" if figures.threshold is None else "shape"


def over(figures: Dashboard) -> str:
    """` over 0.3`; nothing for a classification."""
    return "" if figures.threshold is None else f" over {figures.threshold:g}"


def _span(figures: Dashboard) -> tuple[float, float]:
    return figures.since, figures.until


def _bars(panel: Any, edges: NDArray[np.float64], heights: Any, tone: str) -> None:
    """Bars over bins of time; those at the two ends may be cut short by the range."""
    bars(panel, edges / _DAY, heights, tone)


# Overview -------------------------------------------------------------------------------------


def inferences(report: DashboardReport) -> Chart:
    """Predictions over time, and their rate."""
    figures, series = report.figures, report.figures.predictions_over_time
    lengths = series.edges[1:] - series.edges[:-1]
    per_hour = series.counts / lengths * 3_600
    busiest = int(series.counts.max()) if len(series.counts) else 0

    def draw(panel: Any) -> None:
        _bars(panel, series.edges, series.counts, BLUE)
        panel.set_ylim(bottom=0)
        whole_numbers(panel.yaxis)

    return Chart(
        "inferences",
        f"Inferences per {span(float(lengths.max()))}",
        f"n = {figures.inferences:,}, {rate(figures)}",
        f"{count(figures.inferences, 'prediction')}, at most {busiest:,} in one bin.",
        {
            "begin": series.edges[:-1].tolist(), "end": series.edges[1:].tolist(),
            "inferences": series.counts.tolist(), "per_hour": per_hour.tolist(),
        },
        draw,
        _span(figures),
    )  # fmt: skip


def errors(report: DashboardReport) -> Chart | None:
    """Predictions that failed over time; None where none did."""
    found, edges = report.errors, report.figures.predictions_over_time.edges
    if found is None or not found.failed:
        return None

    def draw(panel: Any) -> None:
        _bars(panel, edges, found.over_time, ORANGE)
        panel.set_ylim(bottom=0)
        whole_numbers(panel.yaxis)

    asked = found.answered + found.failed
    return Chart(
        "errors", "Predictions that failed", f"{found.failed:,} of {asked:,}, {_percent(found)}",
        f"At most {int(found.over_time.max()):,} in one bin.",
        {"begin": edges[:-1].tolist(), "end": edges[1:].tolist(),
         "failed": found.over_time.tolist()},
        draw, _span(report.figures),
    )  # fmt: skip


def _percent(found: Errors) -> str:
    return f"{found.rate * 100:.3g} %"


def errors_in_words(found: Errors) -> str:
    """`12 (0.3 %)`, or `none`."""
    return f"{found.failed:,} ({_percent(found)})" if found.failed else "none"


def rate(figures: Dashboard) -> str:
    """How many predictions there were in a unit of time that makes a number one can read."""
    length_s = max(figures.until - figures.since, 1.0)
    for seconds, unit in ((1, "s"), (60, "min"), (3_600, "h"), (86_400, "day")):
        each = figures.inferences / length_s * seconds
        if each >= 1 or unit == "day":
            break
    return f"{each:,.3g} per {unit}" if each < 1_000 else f"{each:,.0f} per {unit}"


def latency(report: DashboardReport) -> Chart:
    """The latency of the champion, and of the shadow in grey."""
    figures, shadow = report.figures, report.shadow_latency
    at = dates(figures.latency_at)

    def draw(panel: Any) -> None:
        if shadow is not None:
            told: dict[str, Any] = {"color": GREY, "linestyle": ":", "label": "shadow p50"}
            panel.plot(dates(shadow.at), shadow.p50_s * 1000, marker="D", **told, **_LINE)
        tones = (("p99", "--", "^", INK), ("p95", "-.", "s", ORANGE), ("p50", "-", "o", BLUE))
        for name, dash, sign, tone in tones:
            values = getattr(figures, f"latency_{name}_s") * 1000
            panel.plot(at, values, dash, marker=sign, color=tone, label=name, **_LINE)
        panel.set_ylim(bottom=0)

    told = [f"{name} {milliseconds(getattr(figures, f'{name}_s'))}" for name in _SHARES]
    sample = f"n = {figures.inferences:,}"
    if shadow is not None:
        sample += f", shadow {shadow.inferences:,}"
    return Chart(
        "latency", "Latency (ms)", sample, f"{', '.join(told)}.", _latency_columns(report), draw,
        _span(figures), has_legend=True,
    )  # fmt: skip


_SHARES = ("p50", "p95", "p99")


def _latency_columns(report: DashboardReport) -> Mapping[str, list[Any]]:
    figures, shadow = report.figures, report.shadow_latency
    columns: dict[str, list[Any]] = {"at": figures.latency_at.tolist()}
    for name in _SHARES:
        columns[f"{name}_ms"] = (getattr(figures, f"latency_{name}_s") * 1000).tolist()
    if shadow is not None:
        known = dict(zip(shadow.at.tolist(), (shadow.p50_s * 1000).tolist(), strict=True))
        columns["shadow_p50_ms"] = [known.get(at) for at in columns["at"]]
    return columns


# Labels and scores ----------------------------------------------------------------------------


def labels_over_time(report: DashboardReport) -> Chart:
    """Shapes per label in each bin, one upon the other."""
    figures, edges = report.figures, report.figures.predictions_over_time.edges
    found = report.labels_over_time
    known = {name: index for index, name in enumerate(report.choices.labels)}

    def draw(panel: Any) -> None:
        floor = np.zeros(len(edges) - 1)
        for name, counts in found.items():
            bars(panel, edges / _DAY, counts, tone_of(known.get(name)), floor, outlined=True)
            floor = floor + counts
        panel.set_ylim(bottom=0)
        whole_numbers(panel.yaxis)

    total = sum(int(counts.sum()) for counts in found.values())
    return Chart(
        "labels_over_time",
        f"{noun(figures).capitalize()}s per label over time",
        f"n = {total:,}{over(figures)}",
        ", ".join(f"{name} {int(counts.sum()):,}" for name, counts in found.items()) + ".",
        {
            "begin": edges[:-1].tolist(), "end": edges[1:].tolist(),
            **{f"label: {name}": counts.tolist() for name, counts in found.items()},
        },
        draw,
        _span(figures),
        colours=[(name, tone_of(known.get(name))) for name in found],
    )  # fmt: skip


def labels(report: DashboardReport) -> Chart:
    """Shapes per label; beside the training data as shares, where those are known."""
    figures, training = report.figures, report.training_labels
    if training and report.filters.label is None:
        return _beside_training(report)
    counts = top_labels(figures.label_counts)

    def draw(panel: Any) -> None:
        drawn = panel.barh(range(len(counts)), list(counts.values()), height=0.75, color=BLUE)
        _name_bars(panel, list(counts))
        panel.set_xlim(right=max(counts.values()) * 1.2)
        panel.bar_label(drawn, fmt="{:,.0f}", padding=3, color=INK, fontsize=8.5)
        whole_numbers(panel.xaxis)

    return Chart(
        "labels", f"{noun(figures).capitalize()}s per label", f"n = {figures.shapes:,}"
        f"{over(figures)}", _named(counts), {"label": [*counts], "predicted": [*counts.values()]},
        draw, has_names=True,
    )  # fmt: skip


def _beside_training(report: DashboardReport) -> Chart:
    figures, training = report.figures, report.training_labels
    names = list(top_labels({**figures.label_counts, **_unseen(report)}))
    predicted = [figures.label_counts.get(name, 0) for name in names]
    trained = [training.get(name, 0) for name in names]
    mine, theirs = max(figures.shapes, 1), max(sum(training.values()), 1)
    rest = names and names[-1].endswith(" others") and names[-1] not in training
    if rest:
        predicted[-1] = figures.shapes - sum(predicted[:-1])
        trained[-1] = theirs - sum(trained[:-1])

    def draw(panel: Any) -> None:
        rows = np.arange(len(names))
        panel.barh(rows - 0.2, np.array(predicted) / mine, 0.38, color=BLUE, label="predicted")
        panel.barh(rows + 0.2, np.array(trained) / theirs, 0.38, color=GREY, label="training")
        _name_bars(panel, names)
        percent(panel.xaxis)

    apart = report.total_variation
    told = "" if apart is None else f", {apart:.0%} apart".replace("%", " %")
    return Chart(
        "labels", "Share of each label", f"n = {figures.shapes:,} against {theirs:,}{told}",
        _named(dict(zip(names, predicted, strict=True))),
        {"label": names, "predicted": predicted, "training": trained},
        draw, has_names=True, has_legend=True,
    )  # fmt: skip


def _unseen(report: DashboardReport) -> dict[str, int]:
    seen = report.figures.label_counts
    return {name: 0 for name in report.training_labels if name not in seen}


def _name_bars(panel: Any, names: list[str]) -> None:
    panel.set_yticks(range(len(names)), [shown_name(name) for name in names])
    panel.set_ylim(max(len(names), 4) - 0.5, -0.5)
    along_names(panel)


def _named(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counts.items()) + "."


def top_labels(counts: Mapping[str, int]) -> dict[str, int]:
    """The most frequent labels, and the rest in one sum."""
    names = list(counts)
    if len(names) <= MOST_LABELS:
        return dict(counts)
    rest = names[MOST_LABELS - 1 :]
    top = {name: counts[name] for name in names[: MOST_LABELS - 1]}
    return {**top, f"{len(rest)} others": sum(counts[name] for name in rest)}


def scores(report: DashboardReport) -> Chart:
    """How sure the model was of everything that it found."""
    figures, series = report.figures, report.figures.score_histogram
    total = int(series.counts.sum())

    def draw(panel: Any) -> None:
        _histogram(panel, series, BLUE)
        panel.set_xlim(0, 1)
        if figures.threshold is not None:
            panel.axvline(
                figures.threshold, color=ORANGE, linewidth=1.8, linestyle="--",
                label=f"threshold {figures.threshold:g}",
            )  # fmt: skip

    return Chart(
        "scores", "Raw scores (0 to 1)", f"n = {total:,} {noun(figures)}s",
        f"{figures.shapes:,} of {total:,} are considered.", _histogram_columns(series, "score"),
        draw, has_legend=figures.threshold is not None,
    )  # fmt: skip


def _histogram(panel: Any, series: Series, tone: str) -> None:
    bars(panel, series.edges, series.counts, tone)
    panel.set_ylim(bottom=0)
    whole_numbers(panel.yaxis)


def _histogram_columns(series: Series, name: str) -> Mapping[str, list[Any]]:
    return {
        f"{name}_from": series.edges[:-1].tolist(), f"{name}_to": series.edges[1:].tolist(),
        "count": series.counts.tolist(),
    }  # fmt: skip


# Images ---------------------------------------------------------------------------------------

_TITLES = {
    "width": "Image width (pixels)", "height": "Image height (pixels)",
    "ratio": "Image ratio (width to height)", "area": "Image area (megapixels)",
}  # fmt: skip


def image_sizes(report: DashboardReport) -> list[Chart]:
    """Histograms of width, height, ratio and area of the images."""
    return [_image(name, series) for name, series in report.images.items()]


def _image(name: str, series: Series) -> Chart:
    if name == "area":
        series = Series(series.edges / 1e6, series.counts)
    total = int(series.counts.sum())
    most = int(series.counts.argmax())
    middle = (series.edges[most] + series.edges[most + 1]) / 2
    return Chart(
        f"image_{name}", _TITLES[name], f"n = {total:,}", f"Most often near {middle:.3g}.",
        _histogram_columns(series, name), partial(_histogram, series=series, tone=BLUE),
    )  # fmt: skip


def heatmap(report: DashboardReport) -> Chart | None:
    """Where in their images the shapes lie."""
    found = report.heatmap
    if found is None:
        return None
    cells = found.cells

    def draw(panel: Any) -> None:
        # The lightest cells are see-through, so that the page is their ground.
        tones = np.zeros((*cells.shape, 4))
        tones[..., :3] = np.array([0x1F, 0x77, 0xB4]) / 255
        tones[..., 3] = cells / max(int(cells.max()), 1)
        panel.imshow(tones, extent=(0, 100, 100, 0), aspect="auto", interpolation="nearest")
        panel.grid(visible=False)
        left, _, right = panel.set_xticks([0, 50, 100], ["left", "middle", "right"])
        left.label1.set_horizontalalignment("left")
        right.label1.set_horizontalalignment("right")
        panel.set_yticks([0, 50, 100], ["top", "", "foot"])

    rows, columns = np.indices(cells.shape)
    return Chart(
        "heatmap", "Where shapes lie", f"n = {found.shapes:,} in the newest "
        f"{count(found.images, 'image')}; darkest: {int(cells.max()):,}",
        _densest(cells),
        {
            "row": rows.ravel().tolist(), "column": columns.ravel().tolist(),
            "shapes": cells.ravel().tolist(),
        },
        draw,
    )  # fmt: skip


def _densest(cells: NDArray[np.int64]) -> str:
    row, column = np.unravel_index(int(cells.argmax()), cells.shape)
    down, across = (row + 0.5) / len(cells), (column + 0.5) / cells.shape[1]
    return f"Densest {across:.0%} from the left, {down:.0%} from the top.".replace("%", " %")


# Outliers -------------------------------------------------------------------------------------


def outlier_scores(report: DashboardReport, found: Outliers) -> Chart:
    """How unlike the training data the images were."""

    def draw(panel: Any) -> None:
        panel.plot(dates(found.at), found.median, "-o", color=BLUE, label="median", **_LINE)
        panel.axhline(
            found.threshold, color=ORANGE, linestyle="--", linewidth=1.6, label="threshold"
        )
        panel.set_ylim(bottom=0)

    return Chart(
        "outlier_scores", "Outlier score (reconstruction error)", f"n = {found.scored:,} images",
        f"{found.outliers:,} are over the threshold of {found.threshold:.3g}.",
        {"at": found.at.tolist(), "median": found.median.tolist(), "share": found.share.tolist()},
        draw, _span(report.figures), has_legend=True,
    )  # fmt: skip


def outlier_share(report: DashboardReport, found: Outliers) -> Chart:
    """The share of outliers over time."""

    def draw(panel: Any) -> None:
        panel.plot(dates(found.at), found.share, "-o", color=ORANGE, **_LINE)
        panel.set_ylim(0, max(float(found.share.max()) * 1.1, 0.05))
        percent(panel.yaxis)

    return Chart(
        "outlier_share", "Share of outliers", f"{found.outliers:,} of {found.scored:,} images",
        f"At most {float(found.share.max()):.0%} in one bin.".replace("%", " %"),
        {"at": found.at.tolist(), "share": found.share.tolist()}, draw, _span(report.figures),
    )  # fmt: skip
