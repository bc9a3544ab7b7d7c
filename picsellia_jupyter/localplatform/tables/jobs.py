"""Jobs: work that was asked for, and what became of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, Index
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Job(Identified, Base, kw_only=True):
    """One piece of work."""

    __tablename__ = "job"

    kind: Mapped[str]
    """What it does, as `import_objects`."""
    version: Mapped[int]
    """1 or 2: the SDK asks for them at different addresses, with different states."""
    status: Mapped[str]
    """RUNNING, SUCCESS, TERMINATED, FAILED (1); PENDING … SUCCEEDED, FAILED, KILLED (2)."""
    report: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """What it did, in numbers."""
    logging_object_name: Mapped[str | None] = mapped_column(default=None)


class LoggingLine(Identified, Base, kw_only=True):
    """A line that a job or an experiment printed."""

    __tablename__ = "logging_line"
    __table_args__ = (Index("ix_logging_line_order", "owner_id", "line_nb"),)

    owner_id: Mapped[str]
    """Of the job or experiment; whoever deletes that deletes its lines."""
    line_nb: Mapped[int]
    part: Mapped[str]
    """The chapter it belongs to."""
    log: Mapped[Any] = mapped_column(JSON)
    final: Mapped[bool] = mapped_column(default=False)
    special: Mapped[Any] = mapped_column(JSON, default=False)
