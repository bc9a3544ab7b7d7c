"""What becomes of a newly trained version."""

from __future__ import annotations

from sqlalchemy.orm import Session

from picsellia_jupyter.domain.evaluation import Comparison
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.registry import ModelVersion


def trained(
    session: Session,
    deployment_id: str,
    version_id: str,
    run_id: str,
    *,
    now: float,
    held_out: Comparison | None = None,
) -> None:
    """Take note of a version that a training run has exported; its run names it.

    Args:
        session: the transaction in which the run is noted as done.
        deployment_id: whose training it was.
        version_id: of the new model version.
        run_id: of the training run.
        now: seconds since the epoch, UTC.
        held_out: champion and new version (as `shadow`) on the held-out data.
    """
    del run_id, now, held_out
    the(session, Deployment, deployment_id, kind="deployment")
    the(session, ModelVersion, version_id, kind="model version")
