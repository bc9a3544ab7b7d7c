"""MPU: what was used, what may be, and the rate they are reckoned with."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.usage import MOST_MPU, NANO, checked_quota, checked_rate
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.metering import DAY_S, USUAL_RATE, Ledger
from picsellia_jupyter.localplatform.platform import Here, NeedsUser, Platform, organization_of
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.tables.usage import Account, Charge

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["usage"])


class UsageEntry(BaseModel):
    """What one deployment used on one day."""

    deployment_id: UUID
    name: str
    day: str
    """UTC: `2026-11-28`."""
    since: float
    until: float
    mpu: float
    served_s: float


class UsageReply(BaseModel):
    """The ledger of MPU, summed by deployment and day."""

    metered: Literal[True] = True
    unit: Literal["MPU"] = "MPU"
    at: float
    quota: float | None
    used: float
    reserved: float
    """Of what is left, held for what is being served now."""
    rate: float
    """MPU for an hour of serving."""
    rate_is_estimate: Literal[True] = True
    serving: int
    """Deployments that are charged now."""
    entries: list[UsageEntry]


class UsageChange(BaseModel):
    """What to change; what is left out stays."""

    quota: float | None = Field(default=None, ge=0, le=MOST_MPU, allow_inf_nan=False)
    """MPU in all; null takes the limit away."""
    rate: float = Field(default=0.0, ge=0, le=MOST_MPU, allow_inf_nan=False)


@router.get("/api/local/usage")
def usage(here: Here) -> UsageReply:
    """What was used of MPU, what is left, and by whom it was used."""
    with here.store.reading() as session:
        return _told(here, session)


@router.patch("/api/local/usage")
def change_usage(here: Here, body: UsageChange) -> UsageReply:
    """Set the quota or the rate; what pauses for want of MPU goes on by itself."""
    with here.store.writing() as session:
        account = Ledger(here, session).account()
        if "quota" in body.model_fields_set:
            quota = body.quota
            account.quota_nano = None if quota is None else round(checked_quota(quota) * NANO)
        if "rate" in body.model_fields_set:
            account.rate_nano = round(checked_rate(body.rate) * NANO)
        session.flush()
        return _told(here, session)


def _told(here: Platform, session: Session) -> UsageReply:
    account = session.get(Account, organization_of(session).id)
    quota = account.quota_nano if account else None
    ledger = Ledger(here, session)
    charges = session.scalars(select(Charge).order_by(Charge.day, Charge.deployment_id))
    return UsageReply(
        at=here.clock(),
        quota=None if quota is None else quota / NANO,
        used=account.used_nano / NANO if account else 0.0,
        reserved=ledger.held() / NANO,
        rate=(account.rate_nano if account else USUAL_RATE) / NANO,
        serving=ledger.running(),
        entries=[_entry(charge) for charge in charges],
    )


def _entry(charge: Charge) -> UsageEntry:
    since = charge.day * DAY_S
    return UsageEntry(
        deployment_id=UUID(charge.deployment_id),
        name=charge.name,
        day=datetime.fromtimestamp(since, tz=timezone.utc).date().isoformat(),
        since=since,
        until=since + DAY_S,
        mpu=charge.amount_nano / NANO,
        served_s=charge.served_ns / NANO,
    )
