"""How well predictions agree with their reviews: as HTML, and as text for terminals."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import aligned, columns, html_table
from picsellia_jupyter.display.units import brief
from picsellia_jupyter.domain.evaluation import (
    Comparison,
    Confusion,
    EvaluationReport,
    LabelScores,
)

_NO_TRUTH, _NONE_FOUND = "no ground truth", "none found"
_AREAS = ("small", "medium", "large")
_AREA_HEADS = ["Overlap 0.50 to 0.95", "All", *(area.capitalize() for area in _AREAS)]
_SHOWN = ("ap_50_95", "ap_50", *(f"ap_{area}" for area in _AREAS), "accuracy", "macro_f1")
"""Figures that have a place of their own."""
_MOST_LABELS = 12
"""Confusions of more labels are told as a list of the most frequent ones."""
_MOST_CONFUSIONS = 8
_BEST_HEADS = ("Best threshold", "Best F1")
_NARROW = 14
"""Signs of a label in the head of a column."""


def html(report: EvaluationReport) -> str:
    """The evaluation as one card."""
    title = f"{report.deployment}, evaluated"
    head = f'<div class="pxj-head"><span class="pxj-name">{style.escape(title)}</span></div>'
    return style.block(f'<div class="pxj-card">{head}{body(report)}</div>', label=title)


def body(report: EvaluationReport) -> str:
    """What stands in the card, for a place that has a heading of its own."""
    parts = [f"<p>{style.escape(report.coverage.in_words())}</p>"]
    if report.scores:
        parts += [style.tiles(_main(report)), _rows(report)]
    if by_area := _area_rows(report):
        parts.append(_table(_AREA_HEADS, by_area))
    if report.labels:
        parts.append(_table(_label_heads(report), _label_rows(report)))
    if report.confusion is not None and report.truth:
        parts.append(_confusion_html(report.confusion))
    if report.comparison is not None:
        heads, body = _comparison_rows(report.comparison)
        parts.append(_table(heads, body, words=heads[-1:]))
    parts += [f'<p class="pxj-note">{style.escape(notice)}</p>' for notice in report.notices]
    return "".join(parts)


def text(report: EvaluationReport) -> str:
    """The evaluation in lines."""
    lines = [f"{report.deployment}, evaluated", report.coverage.in_words()]
    if report.scores:
        lines += ["", *aligned([*_main(report), *_details(report)])]
    if by_area := _area_rows(report):
        lines += ["", columns(_AREA_HEADS, by_area)]
    if report.labels:
        lines += ["", columns(_label_heads(report), _label_rows(report))]
    if report.confusion is not None and (said := _confused(report.confusion)):
        lines += ["", "Most frequent errors", *(f"  {one}" for one in said)]
    if report.comparison is not None:
        heads, body = _comparison_rows(report.comparison)
        lines += ["", columns(heads, body)]
    return "\n".join([*lines, *([""] if report.notices else []), *report.notices])


def _table(heads: list[str], body: list[list[str]], *, words: Sequence[str] = ()) -> str:
    """A table of plain text; all columns but the first and those of words are numbers."""
    escaped = [[style.escape(cell) for cell in row] for row in body]
    return _part(html_table(heads, escaped, numbers=[h for h in heads[1:] if h not in words]))


def _part(inner: str) -> str:
    return f'<div class="pxj-part">{inner}</div>'


# Figures --------------------------------------------------------------------------------------


def _main(report: EvaluationReport) -> list[tuple[str, str]]:
    names = ("accuracy", "macro_f1") if report.kind == "classification" else ("ap_50_95", "ap_50")
    pairs = [_estimate(report, name) for name in names]
    unit = "Images" if report.kind == "classification" else "Objects"
    return [*pairs, (unit, f"{report.truth:,}")]


def _details(report: EvaluationReport) -> list[tuple[str, str]]:
    pairs = [
        (_title(name), _number(value, _NO_TRUTH))
        for name, value in report.scores.items()
        if name not in _SHOWN and not name.startswith("ar_")
    ]
    if report.errors is not None:
        lost = sorted(report.errors.ap_lost.items(), key=lambda item: -item[1])
        told = ", ".join(f"{name} {value:.3f}" for name, value in lost if value > 0.0005)
        pairs.append(("AP50 lost to errors", told or "nothing"))
    if report.calibration is not None and report.calibration.ece is not None:
        pairs.append(("Calibration error (ECE)", f"{report.calibration.ece:.3f}"))
    return pairs


def _rows(report: EvaluationReport) -> str:
    return style.rows((name, style.escape(value)) for name, value in _details(report))


def _area_rows(report: EvaluationReport) -> list[list[str]]:
    """AP, and AR with most detections, of objects of all sizes and of each; none of images."""
    recalls = [name for name in report.scores if name.startswith("ar_50_95_det")]
    if not recalls:
        return []
    return [_area_cells(report, "ap", "ap_50_95"), _area_cells(report, "ar", recalls[-1])]


def _area_cells(report: EvaluationReport, kind: str, of_all: str) -> list[str]:
    names = (of_all, *(f"{kind}_{area}" for area in _AREAS))
    scores = report.scores
    # COCO has no small keypoints.
    told = (_number(scores[name], _NO_TRUTH) if name in scores else "" for name in names)
    return [kind.upper(), *told]


def _estimate(report: EvaluationReport, name: str) -> tuple[str, str]:
    told, interval = _number(report.scores.get(name), _NO_TRUTH), report.intervals.get(name)
    if interval is None:
        return _title(name), told
    named = f"{_title(name)}, {interval.level:.0%} interval".replace("%", " %")
    return named, f"{told} ({interval.low:.3f} to {interval.high:.3f})"


def _number(value: float | None, otherwise: str) -> str:
    return otherwise if value is None else f"{value:.3f}"


def _title(name: str) -> str:
    """The name of a figure as one reads it: `AP`, `AP50`, `Macro F1`, `Top 3`."""
    if name.startswith("ap_"):
        return "AP" + name.removeprefix("ap_").replace("50_95", "")
    return name.replace("_", " ").capitalize().replace("f1", "F1")


# Labels ---------------------------------------------------------------------------------------


def _label_heads(report: EvaluationReport) -> list[str]:
    over = "" if report.threshold is None else f" over {report.threshold:g}"
    unit = "Images" if report.kind == "classification" else "Objects"
    heads = ["Label", unit, "AP", f"Precision{over}", "Recall", "F1"]
    return heads if report.kind == "classification" else [*heads, *_BEST_HEADS]


def _label_rows(report: EvaluationReport) -> list[list[str]]:
    # No threshold ever applies to a classification.
    cells = [[*_label_cells(one), *_best_cells(one)] for one in report.labels]
    return [row[: len(_label_heads(report))] for row in cells]


def _label_cells(one: LabelScores) -> list[str]:
    counts = one.at_threshold
    return [
        one.label,
        f"{one.truth:,}",
        _number(one.ap, _NO_TRUTH),
        _number(counts.precision, _NONE_FOUND),
        _number(counts.recall, _NO_TRUTH),
        _number(counts.f1, ""),
    ]


def _best_cells(one: LabelScores) -> list[str]:
    best = one.best
    return ["", ""] if best is None else [f"{best.threshold:.2f}", f"{best.f1:.3f}"]


# Confusion ------------------------------------------------------------------------------------


def _confused(confusion: Confusion) -> list[str]:
    """The most frequent errors, each in words."""
    wrong = confusion.counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CONFUSIONS]
    pairs = [divmod(int(place), wrong.shape[1]) for place in order]
    return [
        f"{confusion.labels[row]} taken for {confusion.labels[column]}: {wrong[row, column]:,}"
        for row, column in pairs
        if wrong[row, column]
    ]


def _confusion_html(confusion: Confusion) -> str:
    if len(confusion.labels) > _MOST_LABELS + 1:
        said = "".join(f"<li>{style.escape(one)}</li>" for one in _confused(confusion))
        return f'<p class="pxj-part">Most frequent errors</p><ul class="pxj-lines">{said}</ul>'
    heads = ["Is, taken for", *(brief(label, most=_NARROW) for label in confusion.labels)]
    totals = np.maximum(confusion.counts.sum(axis=1, keepdims=True), 1)
    shares = confusion.counts / totals
    body = [
        [style.escape(brief(label, most=_NARROW)), *map(_shaded, counts, share)]
        for label, counts, share in zip(confusion.labels, confusion.counts, shares, strict=True)
    ]
    return _part(html_table(heads, body, numbers=heads[1:]))


def _shaded(count: int, share: float) -> str:
    if not count:
        return '<span class="pxj-muted">0</span>'
    ground = f"rgba(9,98,204,{0.45 * share:.2f})"
    return f'<span style="background-color:{ground};padding:1px 5px">{int(count):,}</span>'


# Comparison -----------------------------------------------------------------------------------


def _comparison_rows(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    heads = [
        f"{comparison.images:,} images",
        f"Champion {comparison.champion}",
        f"Shadow {comparison.shadow}",
        "Gain, 95 %",
        "Verdict",
    ]
    body = [
        [
            _title(name),
            f"{one.champion.value:.3f}",
            f"{one.shadow.value:.3f}",
            f"{one.gain.value:+.3f} ({one.gain.low:+.3f} to {one.gain.high:+.3f})",
            one.verdict,
        ]
        for name, one in comparison.scores.items()
    ]
    return heads, body
