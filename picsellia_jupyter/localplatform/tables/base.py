"""What all tables share."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import JSON, LargeBinary, String, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedAsDataclass, mapped_column


def new_id() -> str:
    """A server-made id: a random UUID."""
    return str(uuid.uuid4())


class Base(MappedAsDataclass, DeclarativeBase, kw_only=True):
    """A row; times are seconds since the epoch, UTC."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own spelling
        str: String,
        bytes: LargeBinary,
        dict[str, Any]: JSON(none_as_null=True),
        list[Any]: JSON(none_as_null=True),
    }


class Identified(MappedAsDataclass, kw_only=True):
    """A row with an id of its own and the time it was made at."""

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default_factory=new_id)
    created_at: Mapped[float] = mapped_column(index=True)


def table_of(mapped: type[Base]) -> Table:
    """The table of a class, for statements that need no objects."""
    table = mapped.__table__
    assert isinstance(table, Table)  # noqa: S101 - for the type checker
    return table
