"""Pages of a list: plain, by offset, or by cursor; newest first unless told otherwise."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.tables.base import Identified
from picsellia_jupyter.wire.predictions import Json

PAGE_LIMIT = 1000
"""Most items of one page; the SDK steps by it, so it must be honoured exactly."""

_MOST = 2**31
"""Beyond what any list holds, and within what a database counts with."""

Row = TypeVar("Row", bound=Identified)


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is asked for, in what order."""

    limit: int | None = None
    offset: int = 0
    order_by: tuple[str, ...] = ()
    """Field names; a leading `-` means descending."""
    cursor: str | None = None
    """What the page before gave as `next_cursor`."""


async def _paging(
    limit: Annotated[int | None, Query(ge=1, le=_MOST)] = None,
    offset: Annotated[int, Query(ge=0, le=_MOST)] = 0,
    order_by: Annotated[list[str] | None, Query()] = None,
    cursor: str | None = None,
) -> Paging:
    return Paging(limit, offset, tuple(order_by or ()), cursor)


Asked = Annotated[Paging, Depends(_paging)]


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Part of a list."""

    rows: Sequence[Row]
    count: int | None
    """Length of the whole list; None on all pages after the first of a cursor."""
    next_cursor: str | None = None

    def reply(self, items: Sequence[Json]) -> Json:
        """The page as the SDK reads it, its rows spelled as `items`."""
        return {"items": list(items), "count": self.count, "next_cursor": self.next_cursor}


def page(
    session: Session,
    query: Select[Row],
    table: type[Row],
    asked: Paging,
    *,
    capped: bool = False,
) -> Page[Row]:
    """Fetch a part of a list.

    Args:
        session: where from.
        query: the whole list, unordered.
        table: what its rows are.
        asked: which part.
        capped: whether a page ends after `PAGE_LIMIT` rows and a cursor leads on; the SDK
            follows cursors for data and predicted assets only.

    Raises:
        InvalidInputError: the cursor or a field to order by is unknown.
    """
    count = None if asked.cursor else _count(session, query)
    query = query.order_by(*_order(table, asked.order_by))
    query = (
        query.where(rows_after(table, asked.cursor)) if asked.cursor else query.offset(asked.offset)
    )
    limit = min(asked.limit or PAGE_LIMIT, PAGE_LIMIT) if capped else asked.limit
    if limit is None:
        return Page(session.scalars(query).all(), count)
    rows = session.scalars(query.limit(limit + 1)).all()
    more = len(rows) > limit and capped and not asked.order_by
    return Page(rows[:limit], count, cursor_of(rows[limit - 1]) if more else None)


def _count(session: Session, query: Select[Row]) -> int:
    return session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0


def _order(table: type[Row], fields: Sequence[str]) -> list[ColumnElement[Any]]:
    known = {column.key: column for column in table.__table__.columns}  # type: ignore[attr-defined]
    order: list[ColumnElement[Any]] = []
    for field in fields:
        column = known.get(field.removeprefix("-"))
        if column is None:
            raise InvalidInputError(
                f"There is no field {field.removeprefix('-')!r} to order by.",
                f"Known: {', '.join(sorted(known))}.",
            )
        order.append(column.desc() if field.startswith("-") else column.asc())
    return [*order, known["created_at"].desc(), known["id"].desc()]


def cursor_of(row: Any) -> str:
    """What leads on from a row, by its `created_at` and `id`."""
    return base64.urlsafe_b64encode(f"{row.created_at!r}/{row.id}".encode()).decode()


def rows_after(table: type[Row], cursor: str) -> ColumnElement[bool]:
    """A condition on what comes after a cursor, newest first.

    Raises:
        InvalidInputError: the cursor is none.
    """
    try:
        at, _, ident = base64.urlsafe_b64decode(cursor.encode()).decode().partition("/")
        created_at = float(at)
    except (ValueError, binascii.Error) as error:
        raise InvalidInputError(
            f"{cursor!r} is no cursor of this platform.", "Send `next_cursor` as it was given."
        ) from error
    return or_(
        table.created_at < created_at, and_(table.created_at == created_at, table.id < ident)
    )
