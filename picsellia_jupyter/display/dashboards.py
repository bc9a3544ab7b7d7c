"""A deployment's dashboard: as HTML that needs nothing else, and as text for terminals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

from picsellia_jupyter.display import evaluation as reviews
from picsellia_jupyter.display import plots, review_plots, style, times
from picsellia_jupyter.display.charts import Chart, html_of
from picsellia_jupyter.display.drifting import drift_table, drift_words
from picsellia_jupyter.display.units import local_time, milliseconds, printable, span
from picsellia_jupyter.domain.dashboards import DashboardReport
from picsellia_jupyter.domain.drift import Verdict
from picsellia_jupyter.domain.evaluation import EvaluationReport


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Charts that belong together; only what has data is in it."""

    name: str
    title: str
    words: str
    """What it says, in a few words, while it is closed."""
    charts: Sequence[Chart] = ()
    is_open: bool = False
    is_bad: bool = False
    after: str = ""
    """HTML below the charts."""


def sections_of(report: DashboardReport, review: EvaluationReport | None) -> list[Section]:
    """The parts of a dashboard, the overview first; those without data are left out."""
    if not report.figures.inferences:
        return []
    made = [
        Section("overview", "Overview", "", _overview(report)),
        _labels(report),
        _drift(report),
        _outliers(report),
        _images(report),
        _reviews(review),
    ]
    return [one for one in made if one is not None]


def _overview(report: DashboardReport) -> list[Chart]:
    charts = (plots.inferences(report), plots.latency(report), plots.errors(report))
    return [chart for chart in charts if chart is not None]


def html(
    report: DashboardReport, review: EvaluationReport | None = None, *, watch: str = ""
) -> str:
    """The whole dashboard.

    Args:
        report: its figures.
        review: how well predictions agree with reviews, where there are any.
        watch: class of the controls that ranges are chosen with in it; empty where it is not live.
    """
    sections = sections_of(report, review)
    body = "".join(_section(one, report) for one in sections)
    return _block(report, header(report), body, has_times=bool(sections), watch=watch)


def _block(
    report: DashboardReport, head: str, body: str, *, has_times: bool, watch: str = ""
) -> str:
    numbers = times.numbers(report) if has_times else ""
    script = f"<script>{_read('dashboard.js')}</script>" if has_times else ""
    label = f"Dashboard of {report.figures.deployment}"
    live = f' data-watch="{style.escape(watch)}"' if watch else ""
    # The script finds what it is about by the element around it.
    return style.block(
        f'<style>{_read("dashboard.css")}</style><div class="pxj pxj-dash"{live}>'
        f"{head}{body}{numbers}{script}</div>",
        label=label,
    )


def text(report: DashboardReport, review: EvaluationReport | None = None) -> str:
    """The dashboard in lines of plain text."""
    figures = report.figures
    numbers = ", ".join(f"{name.lower()} {value}" for name, value in tiles(report))
    lines = [f"{printable(figures.deployment)}, {_range(report)}", numbers]
    if figures.label_counts:
        counts = plots.top_labels(figures.label_counts).items()
        lines.append("labels: " + ", ".join(f"{printable(n)}: {c:,}" for n, c in counts))
    for one in sections_of(report, review)[2:]:
        lines.append(f"{one.title.lower()}: {printable(one.words)}")
    lines += [f"alert: {printable(alert.in_words())}" for alert in report.alerts]
    return "\n".join([*lines, *report.notices])


# Header ---------------------------------------------------------------------------------------


def header(report: DashboardReport) -> str:
    """What it is about, the few numbers that matter, and what is wrong."""
    name = f'<span class="pxj-name">{style.escape(report.figures.deployment)}</span>'
    where = f'<span class="pxj-muted">{style.escape(_range(report))}</span>'
    alerts = "".join(
        f'<p class="pxj-note">{style.escape(f"Alert {alert.in_words()}")}</p>'
        for alert in report.alerts
    )
    notices = "".join(f'<p class="pxj-muted">{style.escape(one)}</p>' for one in report.notices)
    return (
        f'<div class="pxj-dash-head">{name}{where}</div>{style.tiles(tiles(report))}'
        f"{alerts}{notices}"
    )


def tiles(report: DashboardReport) -> list[tuple[str, str]]:
    """The few numbers that matter, with their names."""
    figures = report.figures
    pairs = [("Champion", report.champion)]
    if report.shadow:
        pairs.append(("Shadow", report.shadow))
    if not figures.inferences:
        none = "none" if report.filters.in_words() else "none yet"
        return [*pairs, ("Inferences", none), *_errors(report)]
    pairs += [
        ("Inferences", f"{figures.inferences:,}"),
        (f"{plots.noun(figures).capitalize()}s{plots.over(figures)}", f"{figures.shapes:,}"),
        ("Mean latency", milliseconds(figures.mean_latency_s)),
        ("Latency p95", milliseconds(figures.p95_s)),
    ]
    return [*pairs, *_errors(report), ("Alerts", _alerts(report))]


def _errors(report: DashboardReport) -> list[tuple[str, str]]:
    found = report.errors
    return [] if found is None else [("Errors", plots.errors_in_words(found))]


def _alerts(report: DashboardReport) -> str:
    if report.alerts:
        return f"{len(report.alerts)} of {report.watched}"
    return f"0 of {report.watched}" if report.watched else "none set"


def _range(report: DashboardReport) -> str:
    figures = report.figures
    told = f"{span(figures.until - figures.since)} until {local_time(figures.until)}"
    chosen = report.filters.in_words()
    return f"{told}; {chosen}" if chosen else told


# Sections -------------------------------------------------------------------------------------


def _section(one: Section, report: DashboardReport) -> str:
    inner = _charts(one, report) + one.after
    if one.name == "overview":
        return inner
    state = " open" if one.is_open else ""
    words = f'<span class="pxj-muted">{style.escape(one.words)}</span>' if one.words else ""
    words = style.flag("warn", "look here") + " " + words if one.is_bad else words
    return (
        f'<details{state} data-part="{one.name}"><summary>'
        f"<strong>{style.escape(one.title)}</strong> {words}</summary>"
        f"{inner}</details>"
    )


def _charts(one: Section, report: DashboardReport) -> str:
    if not one.charts:
        return ""
    drawn = "".join(html_of(chart, times.buttons(report, chart)) for chart in one.charts)
    return f'<div class="pxj-charts">{drawn}</div>'


def _labels(report: DashboardReport) -> Section:
    figures = report.figures
    charts = [plots.labels(report)] if figures.label_counts else []
    if figures.label_counts and len(figures.predictions_over_time.counts) > 1:
        charts.append(plots.labels_over_time(report))
    if int(figures.score_histogram.counts.sum()):
        charts.append(plots.scores(report))
    top = list(plots.top_labels(figures.label_counts).items())[:3]
    words = ", ".join(f"{name}: {number:,}" for name, number in top)
    nothing = f"no {plots.noun(figures)}{plots.over(figures)}"
    return Section("labels", "Labels and scores", words or nothing, charts, is_open=bool(charts))


def _drift(report: DashboardReport) -> Section | None:
    if report.drift is None:
        return None
    is_bad = report.drift.report.verdict is Verdict.DRIFT
    return Section(
        "drift", "Drift", drift_words(report.drift), is_open=is_bad, is_bad=is_bad,
        after=drift_table(report.drift),
    )  # fmt: skip


def _outliers(report: DashboardReport) -> Section | None:
    found = report.outliers
    if found is None:
        return None
    charts = [plots.outlier_scores(report, found), plots.outlier_share(report, found)]
    words = f"{found.outliers:,} of {found.scored:,} images unlike the training data"
    return Section("outliers", "Outliers", words, charts)


def _images(report: DashboardReport) -> Section | None:
    charts = [chart for chart in (plots.heatmap(report), *plots.image_sizes(report)) if chart]
    if not charts:
        return None
    sizes = [_middle(report, name) for name in ("width", "height") if name in report.images]
    return Section("images", "Images", f"mostly about {' x '.join(sizes)} pixels", charts)


def _middle(report: DashboardReport, name: str) -> str:
    series = report.images[name]
    row = int(np.argmax(series.counts))
    return f"{(series.edges[row] + series.edges[row + 1]) / 2:.0f}"


def _reviews(review: EvaluationReport | None) -> Section | None:
    if review is None or not review.coverage.reviewed:
        return None
    return Section(
        "reviews", "Agreement with reviews", _agreement(review), review_plots.charts_of(review),
        after=reviews.body(review),
    )  # fmt: skip


def _agreement(review: EvaluationReport) -> str:
    main = "accuracy" if review.kind == "classification" else "ap_50"
    value, seen = review.scores.get(main), review.coverage
    name = "accuracy" if main == "accuracy" else "AP50"
    told = f"{name} {value:.3f}, " if value is not None else ""
    return f"{told}{seen.reviewed:,} of {seen.predicted:,} images reviewed"


# Data -----------------------------------------------------------------------------------------


def frames_of(
    report: DashboardReport, review: EvaluationReport | None
) -> dict[str, dict[str, list[object]]]:
    """The data of every chart and table, by name: columns of one length each."""
    charts = [chart for one in sections_of(report, review) for chart in one.charts]
    frames = {
        chart.name: {name: list(values) for name, values in chart.columns.items()}
        for chart in charts
    }
    if report.drift is not None:
        signals = report.drift.report.signals
        names = ("signal", "test", "reference", "current", "effect", "p", "q")
        columns = {name: [getattr(one, name) for one in signals] for name in names}
        frames["drift"] = {**columns, "verdict": [one.verdict.value for one in signals]}
    if review is not None and any(one.curve is not None for one in review.labels):
        frames["curves"] = review_plots.curves_of(review)
    return frames


def _read(name: str) -> str:
    return files("picsellia_jupyter.display").joinpath(name).read_text(encoding="utf-8")
