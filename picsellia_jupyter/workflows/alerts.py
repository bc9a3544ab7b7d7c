"""One alert an episode: conditions with hysteresis and a cool-down."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from picsellia_jupyter.domain.alerts import Episode, Rule
from picsellia_jupyter.domain.errors import InvalidInputError

_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
}


def check_hysteresis(sign: str, limit: float, clear_limit: float | None) -> None:
    """Refuse a condition that would count as over while it is met.

    Raises:
        InvalidInputError: it is one.
    """
    if clear_limit is None or clear_limit == limit:
        return
    is_inside = clear_limit > limit if sign.startswith("<") else clear_limit < limit
    if sign == "==" or not is_inside:
        raise InvalidInputError(
            f"An alert that fires {sign} {limit:g} cannot be over at {clear_limit:g}.",
            "Give a clear_limit on the other side of the limit, or none.",
        )


def is_met(rule: Rule, value: float) -> bool:
    """Whether a value meets the condition."""
    return _COMPARE[rule.operator](value, rule.limit)


def after_values(
    rule: Rule, episode: Episode | None, values: Sequence[float], now: float
) -> Episode | None:
    """The latest episode once these values were seen at one time; the same one if none met it.

    Args:
        rule: the condition.
        episode: the latest one, open or over; None where there was none.
        values: what was measured.
        now: seconds, not before the episode's.
    """
    met = [value for value in values if is_met(rule, value)]
    if not met:
        return episode
    worst = _worst(rule, met)
    if episode is None or is_over(rule, episode, now):
        return Episode(now, now, met[0], worst, len(met))
    return replace(
        episode,
        last_at=now,
        worst=_worst(rule, [episode.worst, worst]),
        count=episode.count + len(met),
    )


def after_look(rule: Rule, episode: Episode | None, value: float, now: float) -> Episode | None:
    """The latest episode once a figure of a window was looked at."""
    seen = after_values(rule, episode, [value], now)
    if seen is not episode or seen is None:
        return seen
    beyond = rule.limit if rule.clear_limit is None else rule.clear_limit
    if _COMPARE[rule.operator](value, beyond):
        return replace(seen, last_at=now) if seen.ended_at is None else seen
    return ended(rule, seen, now)


def ended(rule: Rule, episode: Episode, now: float) -> Episode:
    """The episode with its end, where the cool-down has passed without the condition."""
    if episode.ended_at is None and now - episode.last_at >= rule.cooldown_s:
        return replace(episode, ended_at=now)
    return episode


def is_over(rule: Rule, episode: Episode, now: float) -> bool:
    """Whether what is met now begins a new episode."""
    return ended(rule, episode, now).ended_at is not None


def _worst(rule: Rule, values: Sequence[float]) -> float:
    return min(values) if rule.operator.startswith("<") else max(values)
