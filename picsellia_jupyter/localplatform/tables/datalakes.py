"""Datalakes, their data, tags and data sources."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Datalake(Identified, Base, kw_only=True):
    """Where images are stored, through a storage connector."""

    __tablename__ = "datalake"

    name: Mapped[str] = mapped_column(unique=True)
    connector_id: Mapped[str] = mapped_column(ForeignKey("connector.id"))
    is_default: Mapped[bool] = mapped_column(default=False)


class DataSource(Identified, Base, kw_only=True):
    """Where images came from, by name."""

    __tablename__ = "data_source"

    name: Mapped[str] = mapped_column(unique=True)


class Data(Identified, Base, kw_only=True):
    """One image or video of a datalake."""

    __tablename__ = "data"
    __table_args__ = (
        UniqueConstraint("datalake_id", "object_name"),
        Index("ix_data_page", "datalake_id", "created_at", "id"),
        Index("ix_data_filename", "datalake_id", "filename"),
        Index("ix_data_object_name", "object_name"),
    )

    datalake_id: Mapped[str] = mapped_column(ForeignKey("datalake.id"))
    object_name: Mapped[str]
    """Server-made name of its blob."""
    filename: Mapped[str]
    type: Mapped[str]
    """IMAGE or VIDEO."""
    content_type: Mapped[str]
    """Found by decoding where it is an image."""
    upload_status: Mapped[str] = mapped_column(default="DONE")
    width: Mapped[int | None] = mapped_column(default=None)
    """Of the upright photo, in pixels."""
    height: Mapped[int | None] = mapped_column(default=None)
    metadata_json: Mapped[dict[str, Any] | None] = mapped_column("metadata", default=None)
    custom_metadata: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    data_source_id: Mapped[str | None] = mapped_column(
        ForeignKey("data_source.id", ondelete="SET NULL"), default=None
    )


class Tag(Identified, Base, kw_only=True):
    """A word put on things of one kind."""

    __tablename__ = "tag"
    __table_args__ = (UniqueConstraint("scope_id", "target_type", "name"),)

    name: Mapped[str]
    target_type: Mapped[str]
    """DATA, MODEL, MODEL_VERSION, DEPLOYMENT, …"""
    scope_id: Mapped[str]
    """Its datalake for DATA, else the organization."""


class TagLink(Base, kw_only=True):
    """A tag on one thing; whoever deletes the thing deletes its links."""

    __tablename__ = "tag_link"

    tag_id: Mapped[str] = mapped_column(ForeignKey("tag.id", ondelete="CASCADE"), primary_key=True)
    target_id: Mapped[str] = mapped_column(primary_key=True, index=True)
