"""The table of drift: every signal with its effect, and its p corrected for their number."""

from __future__ import annotations

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import html_table
from picsellia_jupyter.domain.dashboards import Drift
from picsellia_jupyter.domain.drift import SignalDrift, Verdict

_HEADS = ["Signal", "Verdict", "Effect", "Corrected p", "Images", "Compared with"]
_TESTS = {"ks": "D", "chi2": "V"}


def drift_words(drift: Drift) -> str:
    """What the test says, in a few words."""
    report = drift.report
    if report.verdict is Verdict.DRIFT:
        names = ", ".join(report.drifting[:3])
        more = len(report.drifting) - 3
        return f"{names} moved" if more <= 0 else f"{names} and {more} more moved"
    if report.verdict is Verdict.STEADY:
        return f"{len(report.signals)} signals steady"
    return f"too few images: {drift.window:,} against {drift.baseline:,}; 200 of each are needed"


def drift_table(drift: Drift) -> str:
    """Every signal; those that moved first."""
    order = {Verdict.DRIFT: 0, Verdict.STEADY: 1, Verdict.TOO_FEW: 2}
    signals = sorted(
        drift.report.signals, key=lambda one: (order[one.verdict], -(one.effect or 0.0))
    )
    table = html_table(_HEADS, [_row(one) for one in signals], numbers=_HEADS[2:])
    note = (
        f"Compared with the first {drift.baseline:,} predictions of the champion"
        + (f"; sizes with {drift.training_images:,} training images" * bool(drift.training_images))
        + f". Effect: KS distance D or Cramér's V. p: Benjamini-Hochberg, alarm at "
        f"{drift.report.alpha:g}."
    )
    return f'{table}<p class="pxj-muted">{style.escape(note)}</p>'


def _row(one: SignalDrift) -> list[str]:
    bold = "<strong>{}</strong>" if one.verdict is Verdict.DRIFT else "{}"
    effect = "" if one.effect is None else f"{_TESTS.get(one.test, '')} {one.effect:.2f}"
    return [
        style.escape(one.signal),
        bold.format(style.escape(one.verdict.value)),
        style.escape(effect.strip()),
        _p(one.q),
        f"{one.current:,}",
        f"{one.reference:,}",
    ]


def _p(value: float | None) -> str:
    if value is None:
        return ""
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"
