"""Tables of the database, one module a noun.

All of them are imported here, so that whoever knows one knows the whole database.
"""

from __future__ import annotations

from picsellia_jupyter.localplatform.tables import (
    alerts,
    campaigns,
    datalakes,
    datasets,
    deployments,
    jobs,
    organization,
    outliers,
    pipelines,
    projections,
    projects,
    registry,
    rollouts,
    rollups,
    sums,
    training,
    usage,
)

__all__ = [
    "alerts",
    "campaigns",
    "datalakes",
    "datasets",
    "deployments",
    "jobs",
    "organization",
    "outliers",
    "pipelines",
    "projections",
    "projects",
    "registry",
    "rollouts",
    "rollups",
    "sums",
    "training",
    "usage",
]
