"""What becomes of a newly trained version: shadow, champion, or an offer to a person."""

from __future__ import annotations

import dataclasses

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.evaluation import Comparison
from picsellia_jupyter.domain.promotion import Cause, Evidence, Gate, Policy, Verdict
from picsellia_jupyter.localplatform import promoting
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.localplatform.tables.rollouts import Rollout
from picsellia_jupyter.wire.promotion import gate_from_json


def trained(
    session: Session,
    deployment_id: str,
    version_id: str,
    run_id: str,
    *,
    now: float,
    held_out: Comparison | None = None,
) -> Rollout:
    """Act on a version that a training run has exported, by the deployment's policy.

    Once a run: whoever calls again, after a kill perhaps, is given what was done before.

    - `DEPLOY_SHADOW`: it becomes the shadow.
    - `DEPLOY_CHAMPION`: it becomes the champion where the gate, if one is set, is content with
      the held-out comparison; else the shadow, and the rollout's `said` tells why.
    - `DEPLOY_MANUAL`, no policy, or continuous deployment paused: it is offered.

    Args:
        session: a writing transaction; that in which the run is noted as done, so that a run
            is never done and its version forgotten.
        deployment_id: whose training it was.
        version_id: of the new model version.
        run_id: of the training run.
        now: seconds since the epoch, UTC.
        held_out: champion and new version (as `shadow`) on the frozen held-out data.

    Raises:
        UnknownIdError: there is no such deployment or version.
        InvalidInputError: the version predicts another type.
    """
    same = {"deployment_id": deployment_id, "run_id": run_id}
    known = session.scalars(select(Rollout).filter_by(**same)).first()
    if known is not None:
        return known
    row = the(session, Deployment, deployment_id, kind="deployment")
    version = promoting.fitting(session, row, version_id)
    made = _placed(session, row, version, held_out, now)
    made.run_id = run_id
    made.evidence = None if held_out is None else dataclasses.asdict(held_out)
    session.flush()
    return made


def _placed(
    session: Session,
    row: Deployment,
    version: ModelVersion,
    held_out: Comparison | None,
    now: float,
) -> Rollout:
    pipeline = session.scalars(select(Pipeline).filter_by(deployment_id=row.id)).first()
    policy = _policy(pipeline)
    if policy is Policy.MANUAL:
        return promoting.offer(session, row, version, now=now)
    if policy is Policy.SHADOW:
        return promoting.make_shadow(session, row, version, cause=Cause.POLICY, now=now)
    champion = promoting.title_of(session.get_one(ModelVersion, row.model_version_id))
    if held_out is not None and held_out.champion != champion:
        held_out = None  # another one has become champion since the run began
    verdict = _verdict(pipeline, promoting.title_of(version), held_out)
    if verdict.passes:
        made = promoting.make_champion(
            session, row, version, cause=Cause.POLICY, now=now, said=verdict.said
        )
        return made or promoting.offer(session, row, version, now=now)
    made = promoting.make_shadow(session, row, version, cause=Cause.POLICY, now=now)
    made.said = verdict.said
    return made


def _policy(pipeline: Pipeline | None) -> Policy:
    if pipeline is None or not pipeline.deployment_active or not pipeline.deployment_policy:
        return Policy.MANUAL
    return Policy(pipeline.deployment_policy)


def _verdict(pipeline: Pipeline | None, title: str, held_out: Comparison | None) -> Verdict:
    gate: Gate | None = gate_from_json(pipeline.promotion_gate) if pipeline else None
    if gate is None:
        return Verdict(passes=True, said="")
    # Nobody has reviewed anything that a version predicted which exists since a moment.
    gate = dataclasses.replace(gate, evidence=Evidence.HELD_OUT)
    return gate.judge(title, {Evidence.HELD_OUT: held_out} if held_out else {})
