"""What predictions add up to, and those that are not added up yet."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base

WHOLE = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; SQLite's own row number only if it is called INTEGER."""


class PendingRollup(Base, kw_only=True):
    """A prediction that no rollup counts yet; written together with it.

    Whoever adds it up removes this row in the same transaction, so that it is counted once
    whatever happens in between.
    """

    __tablename__ = "pending_rollup"

    number: Mapped[int] = mapped_column(WHOLE, primary_key=True, autoincrement=False)
    """In the order of writing."""
    prediction_id: Mapped[str] = mapped_column(String(36))
    """Of a row that may be gone by now, and then counts nowhere."""


class AnswerCounter(Base, kw_only=True):
    """What a front last said of its predictions: only what is new since then is added."""

    __tablename__ = "answer_counter"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True
    )
    counter: Mapped[str] = mapped_column(primary_key=True)
    answered: Mapped[int] = mapped_column(WHOLE)
    failed: Mapped[int] = mapped_column(WHOLE)
    reported_at: Mapped[float]


class AnswerRollup(Base, kw_only=True):
    """Predictions that serving kernels gave or could not give in a minute, an hour or a day."""

    __tablename__ = "answer_rollup"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True
    )
    width_s: Mapped[int] = mapped_column(primary_key=True)
    """60, 3600 or 86400."""
    start_s: Mapped[int] = mapped_column(WHOLE, primary_key=True)
    """A multiple of the width, seconds since the epoch, UTC."""
    answered: Mapped[int] = mapped_column(WHOLE)
    failed: Mapped[int] = mapped_column(WHOLE)


class StoredRollup(Base, kw_only=True):
    """Predictions of one model version in a minute, an hour or a day, added up."""

    __tablename__ = "rollup"

    deployment_id: Mapped[str] = mapped_column(
        ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True
    )
    is_shadow: Mapped[bool] = mapped_column(primary_key=True)
    width_s: Mapped[int] = mapped_column(primary_key=True)
    """60, 3600 or 86400."""
    start_s: Mapped[int] = mapped_column(WHOLE, primary_key=True)
    """A multiple of the width, seconds since the epoch, UTC."""
    model_version_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    predictions: Mapped[int] = mapped_column(WHOLE)
    shapes: Mapped[int] = mapped_column(WHOLE)
    latency_us: Mapped[int] = mapped_column(WHOLE)
    first_at: Mapped[float]
    last_at: Mapped[float]
    tally: Mapped[bytes]
    """Keys and counts, packed."""
