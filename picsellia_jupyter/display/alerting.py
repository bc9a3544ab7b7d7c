"""The alerts of a deployment as a table."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import columns, html_table
from picsellia_jupyter.display.units import span
from picsellia_jupyter.domain.alerts import Alert

_HEADS = ("Alert", "Condition", "Over", "State", "Last", "Webhook")
_NONE = "Nothing is watched yet."


def alerts_html(deployment: str, alerts: Sequence[Alert], said: str = "") -> str:
    """A table, or a sentence where there is none."""
    body = [_cells(_row(one)) for one in alerts]
    told = html_table(_HEADS, body, wide=("Condition", "State")) if body else _said(_NONE)
    head = f'<p><span class="pxj-name">{style.escape(deployment)}</span> alerts</p>'
    who = _said(said) if said else ""
    return style.block(f'<div class="pxj">{head}{told}{who}</div>', label=f"Alerts of {deployment}")


def alerts_text(alerts: Sequence[Alert], said: str = "") -> str:
    """The same for terminals."""
    told = columns(_HEADS, [_row(one) for one in alerts]) if alerts else _NONE
    return f"{told}\n{said}" if said else told


def _row(one: Alert) -> list[str]:
    state = one.state if one.active else "off"
    why = f": {one.reason}" if state in ("unknown", "firing") and one.reason else ""
    return [
        one.name, one.condition, span(one.window_s) if one.has_window else "", state + why,
        "" if one.value is None else f"{one.value:.3g}", one.webhook_host,
    ]  # fmt: skip


def _cells(row: Sequence[str]) -> list[str]:
    state = _HEADS.index("State")
    cells = [style.escape(cell) for cell in row]
    if row[state].startswith("firing"):
        cells[state] = _flagged(row[state])
    return cells


def _flagged(told: str) -> str:
    state, colon, why = told.partition(":")
    return style.flag("warn", state) + style.escape(colon + why)


def _said(sentence: str) -> str:
    return f'<p class="pxj-muted">{style.escape(sentence)}</p>'
