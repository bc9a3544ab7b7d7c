"""The alerts of a deployment as a table."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import columns, html_table
from picsellia_jupyter.display.units import span
from picsellia_jupyter.domain.alerts import Alert

_HEADS = ("Alert", "Condition", "Over", "State", "Last", "Webhook")
_NONE = "Nothing is watched yet."


def alerts_html(deployment: str, alerts: Sequence[Alert]) -> str:
    """A table, or a sentence where there is none."""
    body = [[_flagged(cell) if cell == "firing" else style.escape(cell) for cell in row]
            for row in map(_row, alerts)]  # fmt: skip
    told = html_table(_HEADS, body, wide=("Condition", "State")) if body else _said(_NONE)
    head = f'<p><span class="pxj-name">{style.escape(deployment)}</span> alerts</p>'
    return style.block(f'<div class="pxj">{head}{told}</div>', label=f"Alerts of {deployment}")


def alerts_text(alerts: Sequence[Alert]) -> str:
    """The same for terminals."""
    return columns(_HEADS, [_row(one) for one in alerts]) if alerts else _NONE


def _row(one: Alert) -> list[str]:
    state = one.state if one.active else "off"
    why = f": {one.reason}" if state == "unknown" and one.reason else ""
    return [
        one.name, one.condition, span(one.window_s) if one.has_window else "", state + why,
        "" if one.value is None else f"{one.value:.3g}", one.webhook_host,
    ]  # fmt: skip


def _flagged(state: str) -> str:
    return style.flag("warn", state)


def _said(sentence: str) -> str:
    return f'<p class="pxj-muted">{style.escape(sentence)}</p>'
