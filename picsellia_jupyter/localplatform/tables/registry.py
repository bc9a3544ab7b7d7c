"""Models, their versions, training contexts and files."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Model(Identified, Base, kw_only=True):
    """A named family of model versions."""

    __tablename__ = "model"

    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="")


class ModelVersion(Identified, Base, kw_only=True):
    """A trained model."""

    __tablename__ = "model_version"
    __table_args__ = (
        UniqueConstraint("model_id", "version"),
        UniqueConstraint("model_id", "name"),
    )

    model_id: Mapped[str] = mapped_column(ForeignKey("model.id", ondelete="CASCADE"))
    version: Mapped[int]
    """Counts from 0 within its model."""
    name: Mapped[str]
    type: Mapped[str] = mapped_column(default="NOT_CONFIGURED")
    framework: Mapped[str] = mapped_column(default="NOT_CONFIGURED")
    labels: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """Class index, as a string, to label name."""
    settings: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """What else was said of it: description, parameters, docker image, …"""
    model: Mapped[Model] = relationship(lazy="joined", init=False)


class ModelContext(Identified, Base, kw_only=True):
    """What a model version was trained on."""

    __tablename__ = "model_context"

    version_id: Mapped[str] = mapped_column(
        ForeignKey("model_version.id", ondelete="CASCADE"), unique=True
    )
    datas: Mapped[list[Any]]
    """Training datasets with the number of objects per label."""
    parameters: Mapped[dict[str, Any]]
    experiment_id: Mapped[str | None] = mapped_column(default=None)


class ModelFile(Identified, Base, kw_only=True):
    """One file of a model version."""

    __tablename__ = "model_file"
    __table_args__ = (UniqueConstraint("version_id", "name"),)

    version_id: Mapped[str] = mapped_column(ForeignKey("model_version.id", ondelete="CASCADE"))
    name: Mapped[str]
    filename: Mapped[str]
    object_name: Mapped[str] = mapped_column(index=True)
    connector_id: Mapped[str] = mapped_column(ForeignKey("connector.id"))
    large: Mapped[bool] = mapped_column(default=False)
