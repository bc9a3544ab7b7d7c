"""Putting tags and sources on data, making them where they are new."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError
from picsellia_jupyter.localplatform.tables.datalakes import DataSource, Tag, TagLink


def tag_query(name: str, target_type: str, scope_id: str) -> Select[Tag]:
    """The query for a tag by its name."""
    return select(Tag).where(
        Tag.name == name, Tag.target_type == target_type, Tag.scope_id == scope_id
    )


def new_tag(session: Session, name: str, target_type: str, scope_id: str, *, now: float) -> Tag:
    """Make a tag.

    Raises:
        ConflictError: there is one of this name.
    """
    refuse_taken(session, name, target_type, scope_id)
    tag = Tag(name=name, target_type=target_type, scope_id=scope_id, created_at=now)
    session.add(tag)
    session.flush()
    return tag


def refuse_taken(
    session: Session, name: str, target_type: str, scope_id: str, *, but: str = ""
) -> None:
    """Make sure that no other tag has this name.

    Raises:
        ConflictError: one has, and its id is not `but`.
    """
    taken = session.scalars(tag_query(name, target_type, scope_id)).first()
    if taken is not None and taken.id != but:
        raise ConflictError(f"A tag is called {name!r} already.", "Use that one.")


def link_tag(session: Session, tag: Tag, target_id: str) -> None:
    """Put a tag on one thing, unless it is there."""
    if session.get(TagLink, (tag.id, target_id)) is None:
        session.add(TagLink(tag_id=tag.id, target_id=target_id))
        session.flush()


def data_tag(session: Session, name: str, datalake_id: str, *, now: float) -> Tag:
    """The data tag of this name, made where there is none."""
    found = session.scalars(tag_query(name, "DATA", datalake_id)).first()
    return found or new_tag(session, name, "DATA", datalake_id, now=now)


def source_named(session: Session, name: str, *, now: float) -> DataSource:
    """The data source of this name, made where there is none."""
    found = session.scalars(select(DataSource).where(DataSource.name == name)).first()
    if found is None:
        found = DataSource(name=name, created_at=now)
        session.add(found)
        session.flush()
    return found
