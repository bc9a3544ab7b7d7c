"""Datasets: their versions, labels, assets and annotations."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Dataset(Identified, Base, kw_only=True):
    """A named family of dataset versions."""

    __tablename__ = "dataset"

    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="")


class DatasetVersion(Identified, Base, kw_only=True):
    """A set of assets with the labels they are annotated with."""

    __tablename__ = "dataset_version"
    __table_args__ = (UniqueConstraint("dataset_id", "version"),)

    dataset_id: Mapped[str] = mapped_column(ForeignKey("dataset.id", ondelete="CASCADE"))
    version: Mapped[str]
    type: Mapped[str] = mapped_column(default="NOT_CONFIGURED")
    description: Mapped[str] = mapped_column(default="")
    is_locked: Mapped[bool] = mapped_column(default=False)
    attributes: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    dataset: Mapped[Dataset] = relationship(lazy="joined", init=False)


class LabelGroup(Identified, Base, kw_only=True):
    """Labels that belong together; groups nest."""

    __tablename__ = "label_group"
    __table_args__ = (UniqueConstraint("dataset_version_id", "name"),)

    dataset_version_id: Mapped[str] = mapped_column(
        ForeignKey("dataset_version.id", ondelete="CASCADE")
    )
    name: Mapped[str]
    parent_id: Mapped[str | None] = mapped_column(
        ForeignKey("label_group.id", ondelete="SET NULL"), default=None
    )


class DatasetLabel(Identified, Base, kw_only=True):
    """What shapes of a dataset version can be."""

    __tablename__ = "dataset_label"
    __table_args__ = (UniqueConstraint("dataset_version_id", "name"),)

    dataset_version_id: Mapped[str] = mapped_column(
        ForeignKey("dataset_version.id", ondelete="CASCADE")
    )
    name: Mapped[str]
    position: Mapped[int]
    """Order of the labels, that in which they were made."""
    group_id: Mapped[str | None] = mapped_column(
        ForeignKey("label_group.id", ondelete="SET NULL"), default=None
    )
    attributes: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    skeleton: Mapped[dict[str, Any] | None] = mapped_column(default=None)
    """`vertices` (names) and `edges` (pairs of indices) of a keypoint label."""


class Asset(Identified, Base, kw_only=True):
    """An image of a datalake in a dataset version."""

    __tablename__ = "asset"
    __table_args__ = (
        UniqueConstraint("dataset_version_id", "data_id"),
        Index("ix_asset_page", "dataset_version_id", "created_at", "id"),
    )

    dataset_version_id: Mapped[str] = mapped_column(
        ForeignKey("dataset_version.id", ondelete="CASCADE")
    )
    data_id: Mapped[str] = mapped_column(ForeignKey("data.id", ondelete="CASCADE"), index=True)


class Annotation(Identified, Base, kw_only=True):
    """What a person drew on one asset; an asset has at most one."""

    __tablename__ = "annotation"

    asset_id: Mapped[str] = mapped_column(ForeignKey("asset.id", ondelete="CASCADE"), unique=True)
    status: Mapped[str] = mapped_column(default="PENDING")
    """PENDING, SKIPPED, ACCEPTED or REFUSED."""
    duration: Mapped[float] = mapped_column(default=0.0)
    """Seconds it took."""
    attributes: Mapped[dict[str, Any] | None] = mapped_column(default=None)


class Shape(Identified, Base, kw_only=True):
    """One shape of an annotation."""

    __tablename__ = "shape"
    __table_args__ = (Index("ix_shape_order", "annotation_id", "kind", "position"),)

    annotation_id: Mapped[str] = mapped_column(ForeignKey("annotation.id", ondelete="CASCADE"))
    kind: Mapped[str]
    """`rectangles`, `polygons`, `classifications`, `lines`, `points`, `keypoints` or `masks`."""
    position: Mapped[int]
    """Order within its annotation."""
    label_id: Mapped[str] = mapped_column(
        ForeignKey("dataset_label.id", ondelete="CASCADE"), index=True
    )
    geometry: Mapped[dict[str, Any]]
    """In pixels of the upright photo, under the keys of the wire."""
    text: Mapped[str | None] = mapped_column(default=None)
    attributes: Mapped[dict[str, Any] | None] = mapped_column(default=None)
