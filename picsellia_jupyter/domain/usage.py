"""MPU: what Picsellia Serving has used, what is left, and how long it lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from picsellia_jupyter.domain.errors import InvalidInputError

NANO = 1_000_000_000
"""Parts of an MPU that a ledger counts in, so that its sums are exact."""
MOST_MPU = 1_000_000.0
"""Largest quota, and largest rate an hour."""
LEAST_RATE = 0.001
"""Smallest rate an hour that is not nothing."""
_LEAST_SHOWN = 0.001
_MEAN_DAYS = 7
_DAY_H = 24


@dataclass(frozen=True, slots=True)
class Spending:
    """What one deployment used on one day."""

    deployment_id: str
    name: str
    """Its name, as it was last; the deployment may be gone."""
    day: str
    """In UTC: `2026-11-28`."""
    mpu: float
    served_s: float
    """Seconds for which it was billed."""


@dataclass(frozen=True, slots=True)
class Sum:
    """What was used under one name: a deployment's, or a day's."""

    name: str
    mpu: float
    served_s: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is used a day if all goes on as it did."""

    mpu_a_day: float
    basis: str
    """What it is reckoned from, in words."""
    lasts_s: float | None
    """Seconds until nothing is left; None without a quota."""


@dataclass(frozen=True, slots=True)
class Usage:
    """The MPU of an organization, as a local platform meters them."""

    used: float
    quota: float | None = None
    """None where there is no limit."""
    reserved: float = 0.0
    """Of what is left, held for what is being served now."""
    rate: float = 1.0
    """MPU that a deployment is billed for an hour of serving: an estimate of ours."""
    serving: int = 0
    """Deployments that are billed now."""
    at: float = 0.0
    """When this was so, seconds since the epoch, UTC."""
    spendings: tuple[Spending, ...] = ()

    @property
    def left(self) -> float | None:
        """MPU that are not used; None where there is no limit."""
        return None if self.quota is None else max(0.0, self.quota - self.used)

    @property
    def free(self) -> float | None:
        """MPU that are neither used nor reserved; None where there is no limit."""
        return None if self.left is None else max(0.0, self.left - self.reserved)

    def by_deployment(self) -> tuple[Sum, ...]:
        """What each deployment used, the most first; deployments of one name apart."""
        latest = {one.deployment_id: one.name for one in self.spendings}
        sums = _summed(self.spendings, lambda one: one.deployment_id)
        named = (Sum(latest[one.name], one.mpu, one.served_s) for one in sums)
        return tuple(sorted(named, key=lambda one: (-one.mpu, one.name)))

    def by_day(self) -> tuple[Sum, ...]:
        """What was used each day (UTC) on which anything was, the last first."""
        days = _summed(self.spendings, lambda one: one.day)
        return tuple(sorted(days, key=lambda one: one.name, reverse=True))

    def forecast(self) -> Forecast | None:
        """How long what is left lasts; None where nothing is used.

        By what serves now where anything does, else by the mean of the last days.
        """
        if self.serving and self.rate:
            told = "if what serves now goes on"
            return self._lasting(self.serving * self.rate * _DAY_H, told)
        days = self._recent()
        mean = sum(one.mpu for one in days) / _MEAN_DAYS
        if not mean:
            return None
        return self._lasting(mean, f"by the mean of the last {_MEAN_DAYS} days; nothing serves now")

    def _lasting(self, mpu_a_day: float, basis: str) -> Forecast:
        lasts = None if self.left is None else self.left / mpu_a_day * _DAY_H * 3600
        return Forecast(mpu_a_day, basis, lasts)

    def _recent(self) -> list[Sum]:
        today = datetime.fromtimestamp(self.at, tz=timezone.utc).date()
        first = (today - timedelta(days=_MEAN_DAYS - 1)).isoformat()
        return [one for one in self.by_day() if one.name >= first]


def amount(mpu: float) -> str:
    """MPU as a person reads them, without their unit: `1,250`, `12.5`, `4.25`, `0.35`, `0.003`."""
    if mpu >= 99.95:
        return f"{mpu:,.0f}"
    if mpu >= _LEAST_SHOWN or mpu == 0:
        return f"{mpu:.3g}" if mpu >= 1 else f"{mpu:.2g}"
    return f"under {_LEAST_SHOWN:g}"


def rate_text(mpu_an_hour: float) -> str:
    """A rate as it was set, all its digits: `0.0125`, `1`, `1,000,000`."""
    return f"{mpu_an_hour:,.10g}"


def parse_quota(text: str) -> float | None:
    """Read a quota as it is typed: `20`, or `none` for no limit.

    Raises:
        InvalidInputError: it is neither.
    """
    return None if text.strip().lower() == "none" else checked_quota(_number(text, "quota"))


def parse_rate(text: str) -> float:
    """Read a rate as it is typed.

    Raises:
        InvalidInputError: it is no rate.
    """
    return checked_rate(_number(text, "rate"))


def checked_quota(mpu: float) -> float:
    """A quota that a ledger takes.

    Raises:
        InvalidInputError: it is negative, or beyond a million MPU.
    """
    if not 0 <= mpu <= MOST_MPU:
        raise InvalidInputError(
            f"A quota is a number of MPU from 0 to {MOST_MPU:,.0f}; got {rate_text(mpu)}.",
            "Or use: --quota none",
        )
    return mpu


def checked_rate(mpu_an_hour: float) -> float:
    """A rate that a ledger takes.

    Raises:
        InvalidInputError: it is negative, too small to be counted, or beyond a million.
    """
    if mpu_an_hour != 0 and not LEAST_RATE <= mpu_an_hour <= MOST_MPU:
        raise InvalidInputError(
            f"A rate is 0, or {LEAST_RATE:g} to {MOST_MPU:,.0f} MPU an hour; "
            f"got {rate_text(mpu_an_hour)}.",
            "The usual one: --rate 1",
        )
    return mpu_an_hour


def estimate(rate: float) -> str:
    """What one deployment uses, in a sentence that says what it is worth."""
    return f"About {rate_text(rate)} MPU an hour of serving (our estimate)."


def _summed(spendings: Iterable[Spending], key: Callable[[Spending], str]) -> list[Sum]:
    sums: dict[str, tuple[float, float]] = {}
    for one in spendings:
        mpu, served = sums.get(key(one), (0.0, 0.0))
        sums[key(one)] = (mpu + one.mpu, served + one.served_s)
    return [Sum(name, mpu, served) for name, (mpu, served) in sums.items()]


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(
            f"The {what} {text!r} is no number.", f"Use, say: --{what} 20"
        ) from None
