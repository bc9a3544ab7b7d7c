"""Deployments that a user's own server is monitored in, and what they have recorded."""

from __future__ import annotations

import sqlite3
import uuid
from collections import Counter
from pathlib import Path

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.registry import Framework, InferenceType
from picsellia_jupyter.session import Session
from picsellia_jupyter.workflows.deploying import DeployRequest, check

LABELS = {0: "cat", 1: "dog"}


def deployment(
    session: Session, kind: InferenceType = InferenceType.OBJECT_DETECTION
) -> DeploymentRecord:
    """Make a Monitoring-only deployment of a new model."""
    platform, name = session.platform, uuid.uuid4().hex
    model = platform.create_model(name, "")
    platform.create_version(model, kind=kind, framework=Framework.PYTORCH, labels=LABELS)
    request = DeployRequest(name, strategy="monitoring", name=name)
    plan = check(request, platform, platform, serves_itself=False)
    return platform.create_deployment(plan)


def recorded(home: Path, record: DeploymentRecord) -> Counter[str]:
    """How often each prediction was recorded."""
    database = sqlite3.connect(f"file:{home / 'platform.sqlite3'}?mode=ro", uri=True)
    rows = database.execute(
        "SELECT oracle_prediction_id FROM prediction WHERE deployment_id = ?", [record.id]
    ).fetchall()
    database.close()
    return Counter(row[0] for row in rows)
