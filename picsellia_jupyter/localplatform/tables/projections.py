"""Other renderings of data: a thumbnail, a tile, an enhanced image."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Projection(Identified, Base, kw_only=True):
    """One rendering of one data, a file of its own."""

    __tablename__ = "projection"
    __table_args__ = (UniqueConstraint("data_id", "name"),)

    data_id: Mapped[str] = mapped_column(ForeignKey("data.id", ondelete="CASCADE"))
    name: Mapped[str]
    filename: Mapped[str]
    object_name: Mapped[str] = mapped_column(index=True)
    content_type: Mapped[str]
    """Found by decoding where it is an image."""
    file_size: Mapped[int]
    """Bytes."""
    width: Mapped[int | None] = mapped_column(default=None)
    height: Mapped[int | None] = mapped_column(default=None)
    infos: Mapped[dict[str, Any] | None] = mapped_column(default=None)


class MetadataSchema(Identified, Base, kw_only=True):
    """What the custom metadata of a datalake's data may be."""

    __tablename__ = "metadata_schema"

    datalake_id: Mapped[str] = mapped_column(
        ForeignKey("datalake.id", ondelete="CASCADE"), unique=True
    )
    keys: Mapped[dict[str, Any]]
    """Key to its rules, as the SDK sends them."""
    allow_extra: Mapped[bool] = mapped_column(default=True)
    """Whether other keys are allowed too."""
