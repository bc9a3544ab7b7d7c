"""What is known of stored blobs, apart from them."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base


class BlobSum(Base, kw_only=True):
    """The SHA-256 of a blob as it came; blobs of older versions have none."""

    __tablename__ = "blob_sum"

    connector_id: Mapped[str] = mapped_column(
        ForeignKey("connector.id", ondelete="CASCADE"), primary_key=True
    )
    object_name: Mapped[str] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    """In hex."""
