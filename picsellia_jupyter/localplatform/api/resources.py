"""The routes of everything that stands around deployments, in the order they are asked."""

from __future__ import annotations

from picsellia_jupyter.localplatform.api import (
    alerts,
    artifacts,
    asset_annotations,
    campaigns,
    dashboards,
    dataset_assets,
    datasets,
    described,
    evaluation,
    experiments,
    jobs,
    labels,
    loop,
    metadata_schemas,
    outliers,
    pipelines,
    projections,
    projects,
    recorded,
    uploads,
)

ROUTERS = (
    uploads.router,
    uploads.signed,
    metadata_schemas.router,
    projections.router,
    labels.router,
    dataset_assets.router,
    asset_annotations.router,
    datasets.router,
    projects.router,
    artifacts.router,
    experiments.router,
    jobs.router,
    pipelines.router,
    campaigns.router,
    alerts.router,
    dashboards.router,
    outliers.router,
    recorded.router,
    loop.router,
    evaluation.router,
    described.router,
)
"""Literal paths before those with an id in their place."""
