"""What speaks for a version against the champion, and what the gate makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.evaluation import Comparison
from picsellia_jupyter.domain.ground_truth import ReviewedImage
from picsellia_jupyter.domain.promotion import Evidence, Gate, Verdict
from picsellia_jupyter.localplatform.evaluating import reviewed
from picsellia_jupyter.localplatform.promoting import title_of
from picsellia_jupyter.localplatform.statistics import Selection
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.localplatform.tables.rollouts import Rollout
from picsellia_jupyter.wire.evaluation import comparison_from_json
from picsellia_jupyter.wire.promotion import gate_from_json
from picsellia_jupyter.workflows.evaluation.bootstrap import LEVEL
from picsellia_jupyter.workflows.evaluation.reports import Subject, compare


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that a gate goes by, read in one moment; `verdict` may take a second."""

    candidate: str
    """Title of the version."""
    champion: str
    gate: Gate | None
    images: Sequence[ReviewedImage]
    """Reviewed images that this champion and the candidate both predicted on."""
    subject: Subject
    held_out: Comparison | None

    def compared(self) -> Comparison:
        """Both on the reviewed images; without scores where these are too few."""
        level = self.gate.confidence if self.gate else LEVEL
        found = compare(self.images, self.subject, level=level)
        return found or Comparison(self.champion, self.candidate, len(self.images), {})

    def verdict(self) -> Verdict:
        """What the gate says; where there is none, everything passes."""
        if self.gate is None:
            return Verdict(passes=True, said="")
        known: dict[Evidence, Comparison] = {}
        if self.gate.evidence is not Evidence.HELD_OUT:
            known[Evidence.REVIEWS] = self.compared()
        if self.held_out is not None:
            known[Evidence.HELD_OUT] = self.held_out
        return self.gate.judge(self.candidate, known)


def case_of(session: Session, row: Deployment, version: ModelVersion) -> Case:
    """Read what there is on a candidate; in any transaction."""
    pipeline = session.scalars(select(Pipeline).filter_by(deployment_id=row.id)).first()
    champion = title_of(session.get_one(ModelVersion, row.model_version_id))
    candidate = title_of(version)
    found = reviewed(session, Selection(row, model_version_id=row.model_version_id))
    images = [image for image in found.images if image.shadow_model == candidate]
    return Case(
        candidate,
        champion,
        gate_from_json(pipeline.promotion_gate) if pipeline else None,
        images,
        found.subject,
        _held_out(session, row.id, version.id, champion),
    )


def _held_out(
    session: Session, deployment_id: str, version_id: str, champion: str
) -> Comparison | None:
    """The newest one of the version against this very champion."""
    same = {"deployment_id": deployment_id, "version_id": version_id}
    query = select(Rollout.evidence).filter_by(**same).order_by(Rollout.number.desc())
    known = [comparison_from_json(raw) for raw in session.scalars(query) if raw]
    return next((one for one in known if one.champion == champion), None)
