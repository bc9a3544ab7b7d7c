"""Finding one row by what the SDK asks with: an id or a name."""

from __future__ import annotations

from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.localplatform.refusals import UnknownIdError
from picsellia_jupyter.localplatform.tables.base import Identified

Row = TypeVar("Row", bound=Identified)


def find_one(
    session: Session,
    table: type[Row],
    *,
    kind: str,
    ident: UUID | None = None,
    name: str | None = None,
    column: str = "name",
    **within: str,
) -> Row:
    """The row with this id or name.

    Args:
        session: where from.
        table: what is looked for.
        kind: what that is in words.
        ident: its id.
        name: its name, where no id is given.
        column: what holds the name.
        within: what else must hold, as `project_id="…"`.

    Raises:
        InvalidInputError: neither id nor name is given.
        NotFoundError: there is none; the nearest name is suggested.
    """
    query = select(table).filter_by(**within)
    if ident is not None:
        row = session.scalars(query.where(table.id == str(ident))).first()
        if row is None:
            raise UnknownIdError(kind, str(ident))
        return row
    if not name:
        raise InvalidInputError("Nothing was asked for.", f"Give an id or a {column}.")
    names: Any = getattr(table, column)
    row = session.scalars(query.where(names == name)).first()
    if row is None:
        known = session.scalars(select(names).filter_by(**within).limit(1000)).all()
        raise NotFoundError.named(kind, name, [str(one) for one in known])
    return row


def refuse_taken(
    session: Session,
    table: type[Row],
    name: str,
    *,
    kind: str,
    column: str = "name",
    but: str = "",
    **within: str,
) -> None:
    """Make sure that no other row has this name.

    Raises:
        ConflictError: one has, and its id is not `but`.
    """
    names: Any = getattr(table, column)
    taken = session.scalars(select(table).filter_by(**within).where(names == name)).first()
    if taken is not None and taken.id != but:
        raise ConflictError(
            f"There is a {kind} named {name!r} already.", "Use that one, or choose another name."
        )
