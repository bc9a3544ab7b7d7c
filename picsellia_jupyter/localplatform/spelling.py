"""Rows as the JSON objects that the SDK reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.sums import sum_of
from picsellia_jupyter.localplatform.tables.base import Identified
from picsellia_jupyter.localplatform.tables.campaigns import ReviewCampaign
from picsellia_jupyter.localplatform.tables.datalakes import (
    Data,
    Datalake,
    DataSource,
    Tag,
    TagLink,
)
from picsellia_jupyter.localplatform.tables.deployments import Deployment, PredictedAsset
from picsellia_jupyter.localplatform.tables.registry import (
    Model,
    ModelContext,
    ModelFile,
    ModelVersion,
)
from picsellia_jupyter.wire.predictions import Json

RowT = TypeVar("RowT", bound=Identified)
STALE_AFTER_S = 10.0
"""A serving kernel that said nothing for so long counts as stopped."""
_SERVING = (ServingState.READY.value, ServingState.DEGRADED.value, ServingState.PAUSED.value)
"""States in which a front answers; a paused one says why it does not predict."""


@dataclass(frozen=True, slots=True)
class Speller:
    """Spells rows for one request: its addresses begin as the caller's did."""

    platform: Platform
    session: Session
    origin: str

    def storage_url(self, method: str, connector_id: str, object_name: str) -> str:
        """A signed address for one object."""
        path = f"/storage/{connector_id}/{object_name}"
        return self.origin + self.platform.keyring.sign(method, path, now=self.platform.clock())

    # Registry ------------------------------------------------------------------------------

    def models(self, rows: Sequence[Model]) -> list[Json]:
        """Private models."""
        tags = tags_of(self.session, (row.id for row in rows))
        return [{**_origin_of(row), "tags": tags[row.id]} for row in rows]

    def versions(self, rows: Sequence[ModelVersion]) -> list[Json]:
        """Model versions, each with the model it belongs to."""
        tags = tags_of(self.session, (row.id for row in rows))
        return [
            {
                **(row.settings or {}),
                "id": row.id,
                "name": row.name,
                "version": row.version,
                "type": row.type,
                "framework": row.framework,
                "labels": row.labels,
                "origin": _origin_of(row.model),
                "tags": tags[row.id],
                "created_at": row.created_at,
            }
            for row in rows
        ]

    def file(self, row: ModelFile) -> Json:
        """One model file."""
        return {
            "id": row.id,
            "name": row.name,
            "filename": row.filename,
            "object_name": row.object_name,
            "large": row.large,
            "sha256": sum_of(self.session, row.connector_id, row.object_name),
            "presigned_url": self.storage_url("GET", row.connector_id, row.object_name),
        }

    # Datalakes -----------------------------------------------------------------------------

    def data(self, rows: Sequence[Data]) -> list[Json]:
        """Images and videos, with their tags and sources."""
        tags = tags_of(self.session, (row.id for row in rows))
        lakes = self._named(Datalake, {row.datalake_id for row in rows})
        sources = self._named(DataSource, {row.data_source_id for row in rows})
        return [
            self._data(row, tags[row.id], lakes[row.datalake_id], sources.get(row.data_source_id))
            for row in rows
        ]

    # Deployments ---------------------------------------------------------------------------

    def deployments(self, rows: Sequence[Deployment]) -> list[Json]:
        """Deployments, with what their serving kernels say of themselves."""
        tags = tags_of(self.session, (row.id for row in rows))
        campaigns = self._campaigns([row.id for row in rows])
        return [
            {
                **self._deployment(row),
                "review_campaign_id": campaigns.get(row.id),
                "tags": tags[row.id],
            }
            for row in rows
        ]

    def assets(self, rows: Sequence[PredictedAsset]) -> list[Json]:
        """Predicted assets, without their predictions."""
        found = self._named(Data, {row.data_id for row in rows})
        spelled = {item["id"]: item for item in self.data(list(found.values()))}
        return [
            {
                "id": row.id,
                "oracle_prediction_id": row.oracle_prediction_id,
                "deployment_id": row.deployment_id,
                "data": spelled[row.data_id],
                "custom_metrics": row.custom_metrics,
                "review_state": row.review_state,
                "created_at": row.created_at,
            }
            for row in rows
        ]

    def _data(self, row: Data, tags: list[Json], lake: Datalake, source: DataSource | None) -> Json:
        return {
            "id": row.id,
            "datalake_id": row.datalake_id,
            "object_name": row.object_name,
            "filename": row.filename,
            "type": row.type,
            "content_type": row.content_type,
            "upload_status": row.upload_status,
            "meta": {"width": row.width, "height": row.height} if row.width else None,
            "metadata": row.metadata_json,
            "custom_metadata": row.custom_metadata,
            "data_source": {"id": source.id, "name": source.name} if source else None,
            "tags": tags,
            "created_at": row.created_at,
            "presigned_url": self.storage_url("GET", lake.connector_id, row.object_name),
        }

    def _deployment(self, row: Deployment) -> Json:
        serving = serving_of(row, now=self.platform.clock())
        answers = serving is not None and serving["state"] in _SERVING
        return {
            "id": row.id,
            "name": row.name,
            "type": row.type,
            "model_version_id": row.model_version_id,
            "shadow_model_version_id": row.shadow_model_version_id,
            "min_threshold": row.min_threshold,
            "sample_rate": row.sample_rate,
            "target_datalake_id": row.target_datalake_id,
            "disable_serving": row.disable_serving,
            "oracle_host": self.origin,
            "serving_host": serving["kernel"]["address"] if serving and answers else None,
            "serving": serving,
            "inferences": row.inferences,
            "created_at": row.created_at,
        }

    def _campaigns(self, deployment_ids: Sequence[str]) -> dict[str, str]:
        wanted = ReviewCampaign.deployment_id.in_(deployment_ids)
        rows = self.session.scalars(select(ReviewCampaign).where(wanted))
        return {row.deployment_id: row.id for row in rows}

    def _named(self, table: type[RowT], ids: Iterable[str | None]) -> dict[str | None, RowT]:
        wanted = [ident for ident in ids if ident]
        rows = self.session.scalars(select(table).where(table.id.in_(wanted)))
        return {row.id: row for row in rows}


def serving_of(row: Deployment, *, now: float) -> Json | None:
    """What is known of a deployment's serving kernel; silence counts as stopped."""
    if row.serving_state is None or row.serving_reported_at is None:
        return None
    state, reason = row.serving_state, row.serving_reason
    silence = now - row.serving_reported_at
    if silence > STALE_AFTER_S and state != ServingState.STOPPED.value:
        state, reason = ServingState.STOPPED.value, f"No heartbeat for {silence:.0f} s."
    return {
        "state": state,
        "reason": reason,
        "reported_at": row.serving_reported_at,
        "kernel": row.serving_kernel,
    }


def spell_datalake(row: Datalake) -> Json:
    """A datalake."""
    return {
        "id": row.id,
        "name": row.name,
        "connector_id": row.connector_id,
        "is_default": row.is_default,
    }


def spell_tag(row: Tag) -> Json:
    """A tag."""
    return {"id": row.id, "name": row.name, "target_type": row.target_type}


def spell_context(row: ModelContext) -> Json:
    """What a model version was trained on."""
    return {
        "id": row.id,
        "experiment_id": row.experiment_id,
        "datas": row.datas,
        "parameters": row.parameters,
    }


def tags_of(session: Session, ids: Iterable[str]) -> dict[str, list[Json]]:
    """The tags of many things; every id is there, if with none."""
    query = (
        select(TagLink.target_id, Tag)
        .join(Tag, Tag.id == TagLink.tag_id)
        .where(TagLink.target_id.in_(list(ids)))
        .order_by(Tag.name)
    )
    found: dict[str, list[Json]] = defaultdict(list)
    for target_id, tag in session.execute(query):
        found[target_id].append(spell_tag(tag))
    return found


def _origin_of(row: Model) -> Json:
    return {
        "id": row.id,
        "name": row.name,
        "private": True,
        "description": row.description,
        "created_at": row.created_at,
    }
