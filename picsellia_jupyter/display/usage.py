"""What was used of MPU and what is left, as text and as a card."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import aligned, columns, html_table
from picsellia_jupyter.display.units import count, local_time, span
from picsellia_jupyter.domain.usage import Sum, Usage, amount, rate_text

DEPLOYMENT_HEADS = ("Deployment", "MPU", "Served")
DAY_HEADS = ("Day (UTC)", "MPU", "Served")
MOST_DAYS = 14
MOST_DEPLOYMENTS = 20
NOTHING_USED = "Nothing was used yet. Monitoring only costs no MPU."
SPENT = (
    "No MPU is left: Picsellia Serving is paused, and goes on by itself with a higher quota "
    "(%usage --quota MPU). Monitoring only costs none."
)
_LONG_S = 10 * 366 * 86_400.0


def usage_text(usage: Usage) -> str:
    """The figures, then what each deployment and each day used."""
    parts = ["\n".join(aligned([*_tiles(usage), *_facts(usage)]))]
    if usage.left == 0:
        parts.append(SPENT)
    if not usage.spendings:
        return "\n\n".join([*parts, NOTHING_USED])
    parts.append(columns(DEPLOYMENT_HEADS, [_cells(one) for one in _deployments(usage)]))
    parts.append(columns(DAY_HEADS, [_cells(one) for one in _days(usage)]))
    return "\n\n".join([*parts, *_left_out(usage)])


def usage_card(usage: Usage) -> str:
    """The same as HTML, with a bar of what is used."""
    note = f'<p class="pxj-note" role="note">{style.escape(SPENT)}</p>' if usage.left == 0 else ""
    parts = [
        '<p class="pxj-head"><span class="pxj-name">MPU</span>'
        '<span class="pxj-muted">Picsellia Serving, as this platform meters it</span></p>',
        note,
        style.tiles(_tiles(usage)),
        _gauge(usage),
        style.rows((name, style.escape(value)) for name, value in _facts(usage)),
        *_tables(usage),
    ]
    return style.block(f'<div class="pxj-card">{"".join(parts)}</div>', label="MPU")


def _tables(usage: Usage) -> list[str]:
    if not usage.spendings:
        return [_line(NOTHING_USED)]
    most = max((day.mpu for day in usage.by_day()), default=0.0)
    days = [
        [*map(style.escape, _cells(day)), _bar(day.mpu / most if most else 0.0)]
        for day in _days(usage)
    ]
    deployments = [[style.escape(cell) for cell in _cells(one)] for one in _deployments(usage)]
    numbers = ("MPU", "Served")
    return [
        f'<div class="pxj-part">{html_table(DEPLOYMENT_HEADS, deployments, numbers=numbers)}</div>',
        f'<div class="pxj-part">{html_table((*DAY_HEADS, ""), days, numbers=numbers)}</div>',
        *(_line(text) for text in _left_out(usage)),
    ]


def _tiles(usage: Usage) -> list[tuple[str, str]]:
    left, forecast = usage.left, usage.forecast()
    tiles = [
        ("Left", "no limit" if left is None else f"{amount(left)} MPU"),
        ("Used", f"{amount(usage.used)} MPU"),
    ]
    if usage.quota is not None:
        tiles.append(("Quota", f"{amount(usage.quota)} MPU"))
    if forecast and left and forecast.lasts_s is not None:
        tiles.append(("Lasts about", _lasting(forecast.lasts_s)))
    return tiles


def _facts(usage: Usage) -> list[tuple[str, str]]:
    forecast = usage.forecast()
    rate = (
        f"{rate_text(usage.rate)} MPU an hour of serving, our estimate: Picsellia publishes no rate"
    )
    facts = [
        ("Serving now", count(usage.serving, "deployment") if usage.serving else "none"),
        ("Rate", rate),
    ]
    if usage.reserved:
        facts.append(("Reserved", f"{amount(usage.reserved)} MPU, for the next seconds"))
    if forecast:
        told = f"{amount(forecast.mpu_a_day)} MPU a day {forecast.basis}"
        if usage.left and forecast.lasts_s is not None and forecast.lasts_s < _LONG_S:
            told += f"; spent on {local_time(usage.at + forecast.lasts_s)}"
        facts.append(("Forecast", told))
    return facts


def _lasting(seconds: float) -> str:
    return span(seconds) if seconds < _LONG_S else "over 10 years"


def _cells(one: Sum) -> list[str]:
    return [one.name, amount(one.mpu), span(one.served_s)]


def _deployments(usage: Usage) -> Sequence[Sum]:
    return usage.by_deployment()[:MOST_DEPLOYMENTS]


def _days(usage: Usage) -> Sequence[Sum]:
    return usage.by_day()[:MOST_DAYS]


def _left_out(usage: Usage) -> list[str]:
    """What the tables do not show."""
    deployments = len(usage.by_deployment()) - MOST_DEPLOYMENTS
    days = len(usage.by_day()) - MOST_DAYS
    told = [count(deployments, "more deployment")] if deployments > 0 else []
    told += [count(days, "earlier day")] if days > 0 else []
    return [f"Not shown: {', '.join(told)}; the attribute data has all."] if told else []


def _gauge(usage: Usage) -> str:
    """How much of the quota is used, as a bar."""
    if not usage.quota:
        return ""
    share = min(1.0, usage.used / usage.quota)
    return (
        f'<div role="img" aria-label="{share:.0%} of the quota is used" '
        'style="height:8px;border-radius:4px;overflow:hidden;margin:0 0 12px;'
        f'background-color:rgba(128,128,128,.25)">{_filled(share)}</div>'
    )


def _bar(share: float) -> str:
    return f'<div style="width:160px;padding-top:5px" aria-hidden="true">{_filled(share)}</div>'


def _filled(share: float) -> str:
    red, green, blue = style.BADGES["busy"]
    return (
        f'<div style="width:{100 * share:.1f}%;height:8px;border-radius:4px;'
        f'background-color:rgb({red},{green},{blue})"></div>'
    )


def _line(text: str) -> str:
    return f'<p class="pxj-part">{style.escape(text)}</p>'
