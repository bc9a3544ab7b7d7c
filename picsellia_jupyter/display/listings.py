"""Deployments, datalakes and the registry, one a row: as HTML, and as text for terminals."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import columns, html_table
from picsellia_jupyter.display.units import brief, count, local_time
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.registry import Datalake, Model, ModelVersion

_NO_DEPLOYMENTS = "No deployments yet. Make one with: %deploy MODEL"
_NO_MODELS = (
    "The Private Model Registry has no models yet. "
    "Register the demo models with: picsellia-jupyter demo seed; "
    "one of your own with: Session().sdk.create_model(NAME).create_version(type=…, labels=…)"
)
_MOST_LABELS = 12
"""Labels written out in the registry's table; the rest are counted."""


def deployments_table(records: Sequence[DeploymentRecord]) -> str:
    """Deployments, one a row."""
    if not records:
        return style.block(f"<p>{style.escape(_NO_DEPLOYMENTS)}</p>", label="Deployments")
    body = [
        [
            f"<strong>{style.escape(record.name)}</strong>",
            style.badge(record.state),
            *(style.escape(cell) for cell in _deployment_cells(record)),
        ]
        for record in records
    ]
    return style.block(
        html_table(
            ["Name", "State", *_DEPLOYMENT_HEADS], body, numbers=("Inferences", "Threshold")
        ),
        label=count(len(records), "deployment"),
    )


def deployments_text(records: Sequence[DeploymentRecord]) -> str:
    """Deployments in aligned columns."""
    if not records:
        return _NO_DEPLOYMENTS
    rows = [[record.name, record.state.value, *_deployment_cells(record)] for record in records]
    return columns(["Name", "State", *_DEPLOYMENT_HEADS], rows)


_DEPLOYMENT_HEADS = ("Model version", "Strategy", "Place", "Threshold", "Inferences", "Created")


def _deployment_cells(record: DeploymentRecord) -> list[str]:
    return [
        record.model_title or record.model_version_id,
        record.strategy.title,
        record.serving.place if record.serving else "",
        "none" if record.threshold is None else f"{record.threshold:g}",
        "" if record.inferences is None else f"{record.inferences:,}",
        local_time(record.created_at) if record.created_at is not None else "",
    ]


def datalakes_table(lakes: Sequence[Datalake]) -> str:
    """The datalakes, the default one first."""
    body = [[style.escape(cell) for cell in row] for row in _datalake_rows(lakes)]
    return style.block(
        html_table(list(_DATALAKE_HEADS), body),
        "<p>Store there with <code>%deploy MODEL --datalake NAME</code></p>",
        label=count(len(lakes), "datalake"),
    )


def datalakes_text(lakes: Sequence[Datalake]) -> str:
    """The datalakes in aligned columns."""
    return columns(list(_DATALAKE_HEADS), _datalake_rows(lakes))


_DATALAKE_HEADS = ("Datalake", "Used by default", "Id")


def _datalake_rows(lakes: Sequence[Datalake]) -> list[list[str]]:
    return [[lake.name, "" if place else "yes", lake.id] for place, lake in enumerate(lakes)]


def registry_table(models: Sequence[Model]) -> str:
    """The models of the Private Model Registry, one version a row."""
    if not models:
        return style.block(f"<p>{style.escape(_NO_MODELS)}</p>", label="Private Model Registry")
    body = [[style.escape(cell) for cell in row] for row in _registry_rows(models)]
    for row in body:
        row[0] = f"<strong>{row[0]}</strong>"
    return style.block(
        html_table(list(_REGISTRY_HEADS), body, wide=("Labels",)),
        "<p>Deploy one with <code>%deploy MODEL:VERSION</code></p>",
        label=f"Private Model Registry, {count(len(models), 'model')}",
    )


def registry_text(models: Sequence[Model]) -> str:
    """The models of the Private Model Registry in aligned columns."""
    if not models:
        return _NO_MODELS
    return columns(list(_REGISTRY_HEADS), _registry_rows(models))


_REGISTRY_HEADS = ("Model version", "Name", "Type", "Framework", "Labels")


def _registry_rows(models: Sequence[Model]) -> list[list[str]]:
    rows: list[list[str]] = []
    for model in models:
        rows += [_version_cells(version) for version in model.versions]
        if not model.versions:
            rows.append([model.name, "no version yet", "", "", ""])
    return rows


def _version_cells(version: ModelVersion) -> list[str]:
    names = [brief(name, most=24) for name in version.labels.values()]
    more = f" and {len(names) - _MOST_LABELS} more" if len(names) > _MOST_LABELS else ""
    return [
        version.title,
        version.name,
        version.type.title,
        version.framework.value.replace("_", " ").lower(),
        ", ".join(names[:_MOST_LABELS]) + more,
    ]
