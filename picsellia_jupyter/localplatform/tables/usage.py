"""The ledger of MPU: what may be used, what is reserved, what was charged."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base


class Account(Base, kw_only=True):
    """The MPU of an organization, in billionths (nano), so that sums are exact."""

    __tablename__ = "mpu_account"

    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), primary_key=True)
    quota_nano: Mapped[int | None] = mapped_column(BigInteger, default=None)
    """None for no limit."""
    rate_nano: Mapped[int] = mapped_column(BigInteger)
    """For an hour of serving."""
    used_nano: Mapped[int] = mapped_column(BigInteger, default=0)
    """The sum of all charges."""


class Meter(Base, kw_only=True):
    """What a deployment holds of the MPU that are left, and up to when it was charged."""

    __tablename__ = "mpu_meter"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True
    )
    kernel_id: Mapped[str] = mapped_column(default="")
    """The serving kernel that is charged."""
    run: Mapped[str]
    """The run of the platform whose monotonic clock `read_ns` is of."""
    read_ns: Mapped[int] = mapped_column(BigInteger)
    """When it was last heard of, on that clock."""
    is_running: Mapped[bool] = mapped_column(default=False)
    """Whether the time since then is charged at the next heartbeat."""
    reserved_nano: Mapped[int] = mapped_column(BigInteger, default=0)
    carry: Mapped[int] = mapped_column(BigInteger, default=0)
    """What rounding has left over, in nano-MPU times nanoseconds an hour."""


class Charge(Base, kw_only=True):
    """What a deployment used on one day. It outlives the deployment."""

    __tablename__ = "mpu_charge"

    deployment_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Days since the epoch, UTC."""
    name: Mapped[str]
    """Of the deployment, as it was at the last tick."""
    amount_nano: Mapped[int] = mapped_column(BigInteger, default=0)
    served_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    ticks: Mapped[int] = mapped_column(default=0)
    """Heartbeats that were settled."""
