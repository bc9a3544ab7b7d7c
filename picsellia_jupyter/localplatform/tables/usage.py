"""The ledger of MPU: what may be used, what is reserved, what was charged."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey
from sqlalchemy.orm import Mapped, MappedAsDataclass, mapped_column

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


class Metered(MappedAsDataclass, kw_only=True):
    """What something holds of the MPU that are left, and up to when it was charged."""

    run: Mapped[str]
    """The run of the platform whose monotonic clock `read_ns` is of."""
    read_ns: Mapped[int] = mapped_column(BigInteger)
    """When it was last heard of, on that clock."""
    is_running: Mapped[bool] = mapped_column(default=False)
    """Whether the time since then is charged at the next heartbeat."""
    reserved_nano: Mapped[int] = mapped_column(BigInteger, default=0)
    carry: Mapped[int] = mapped_column(BigInteger, default=0)
    """What rounding has left over, in nano-MPU times nanoseconds an hour."""


class Meter(Metered, Base, kw_only=True):
    """The meter of a deployment."""

    __tablename__ = "mpu_meter"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True
    )
    kernel_id: Mapped[str] = mapped_column(default="")
    """The serving kernel that is charged."""

    @property
    def charged_to(self) -> str:
        """Whose charges it makes."""
        return self.deployment_id


class TrainingMeter(Metered, Base, kw_only=True):
    """The meter of a training run. It outlives the run, so that none is charged twice."""

    __tablename__ = "mpu_training"

    run_id: Mapped[str] = mapped_column(primary_key=True)
    runner: Mapped[str] = mapped_column(default="")
    """Who trains; each counts its ticks from one."""
    tick: Mapped[int] = mapped_column(default=0)
    """The last that was settled."""

    @property
    def charged_to(self) -> str:
        """Whose charges it makes."""
        return self.run_id


class Charge(Base, kw_only=True):
    """What a deployment, or a training run, used on one day. It outlives both."""

    __tablename__ = "mpu_charge"

    deployment_id: Mapped[str] = mapped_column(primary_key=True)
    """Or the training run's id."""
    day: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Days since the epoch, UTC."""
    name: Mapped[str]
    """Of the deployment, or what a training run trains, as it was at the last tick."""
    amount_nano: Mapped[int] = mapped_column(BigInteger, default=0)
    served_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    ticks: Mapped[int] = mapped_column(default=0)
    """Heartbeats that were settled."""
