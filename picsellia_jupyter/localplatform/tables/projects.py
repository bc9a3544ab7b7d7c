"""Projects and their experiments."""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from picsellia_jupyter.localplatform.tables.base import Base, Identified


class Project(Identified, Base, kw_only=True):
    """A named family of experiments."""

    __tablename__ = "project"

    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="")


class ProjectDataset(Base, kw_only=True):
    """A dataset version that a project works with."""

    __tablename__ = "project_dataset"

    project_id: Mapped[str] = mapped_column(
        ForeignKey("project.id", ondelete="CASCADE"), primary_key=True
    )
    dataset_version_id: Mapped[str] = mapped_column(
        ForeignKey("dataset_version.id", ondelete="CASCADE"), primary_key=True
    )


class Experiment(Identified, Base, kw_only=True):
    """One training run, or a plan for one."""

    __tablename__ = "experiment"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    project_id: Mapped[str] = mapped_column(ForeignKey("project.id", ondelete="CASCADE"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    status: Mapped[str] = mapped_column(default="WAITING")
    """WAITING, RUNNING, SUCCESS, FAILED, CANCELED or TERMINATED."""
    job_status: Mapped[str | None] = mapped_column(default=None)
    """What the training program last said of itself."""
    base_experiment_id: Mapped[str | None] = mapped_column(
        ForeignKey("experiment.id", ondelete="SET NULL"), default=None
    )
    base_model_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("model_version.id", ondelete="SET NULL"), default=None
    )


class ExperimentDataset(Identified, Base, kw_only=True):
    """A dataset version that an experiment uses, under a name of its own such as `train`."""

    __tablename__ = "experiment_dataset"
    __table_args__ = (
        UniqueConstraint("experiment_id", "name"),
        UniqueConstraint("experiment_id", "dataset_version_id"),
    )

    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"))
    dataset_version_id: Mapped[str] = mapped_column(
        ForeignKey("dataset_version.id", ondelete="CASCADE")
    )
    name: Mapped[str]


class ExperimentLog(Identified, Base, kw_only=True):
    """Something an experiment noted: a number, a curve, a table, an image."""

    __tablename__ = "experiment_log"
    __table_args__ = (UniqueConstraint("experiment_id", "name"),)

    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"))
    name: Mapped[str]
    type: Mapped[str]
    """VALUE, LINE, TABLE, BAR, HEATMAP, LABELMAP, EVALUATION or IMAGE."""
    data: Mapped[Any] = mapped_column(JSON)


class Artifact(Identified, Base, kw_only=True):
    """One file an experiment made."""

    __tablename__ = "artifact"
    __table_args__ = (UniqueConstraint("experiment_id", "name"),)

    experiment_id: Mapped[str] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"))
    name: Mapped[str]
    filename: Mapped[str]
    object_name: Mapped[str] = mapped_column(index=True)
    connector_id: Mapped[str] = mapped_column(ForeignKey("connector.id"))
    large: Mapped[bool] = mapped_column(default=False)


class LoggingFile(Identified, Base, kw_only=True):
    """The whole console output of an experiment."""

    __tablename__ = "logging_file"

    experiment_id: Mapped[str] = mapped_column(
        ForeignKey("experiment.id", ondelete="CASCADE"), unique=True
    )
    object_name: Mapped[str] = mapped_column(index=True)
    connector_id: Mapped[str] = mapped_column(ForeignKey("connector.id"))
