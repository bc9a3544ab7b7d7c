"""The organization, its users, their tokens, and its storage connectors."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Connector(Identified, Base, kw_only=True):
    """A storage connector: a place that holds blobs."""

    __tablename__ = "connector"

    name: Mapped[str] = mapped_column(unique=True)
    root: Mapped[str]
    """Folder relative to the data directory, or an fsspec URL."""


class Organization(Identified, Base, kw_only=True):
    """The one organization of a local platform."""

    __tablename__ = "organization"

    name: Mapped[str] = mapped_column(unique=True)
    default_connector_id: Mapped[str] = mapped_column(ForeignKey("connector.id"))


class User(Identified, Base, kw_only=True):
    """Somebody with an API token."""

    __tablename__ = "user"

    username: Mapped[str] = mapped_column(unique=True)
    token_hash: Mapped[str]
    """SHA-256 of the API token, in hex; the token itself is not kept here."""
