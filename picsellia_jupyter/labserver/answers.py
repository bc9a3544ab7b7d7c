"""What the sidebar is told, as JSON in bytes; everything here runs in an office's thread."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING

from picsellia_jupyter.domain.deployments import DeploymentRecord, ServingState
from picsellia_jupyter.domain.registry import Model, ModelVersion

if TYPE_CHECKING:
    from picsellia_jupyter.clients.platform import PlatformClient
    from picsellia_jupyter.domain.news import Firing, News
    from picsellia_jupyter.domain.training import TrainingRun
    from picsellia_jupyter.session import Session
    from picsellia_jupyter.wire.predictions import Json

LOG_LINES = 500
_RUNNING = frozenset(ServingState) - {
    ServingState.STOPPED,
    ServingState.NOT_SERVED,
    ServingState.HOSTED,
}


def overview(session: Session, *, wake: bool) -> bytes:
    """The platform, its deployments, and what is left of its MPU.

    Args:
        session: asked; may not be connected yet.
        wake: whether to connect, which may start a local platform.
    """
    if not (wake or session.is_up):
        return _encoded({"connected": False, "platform": None, "mpu": None, "deployments": []})
    platform = session.platform
    records = session.deployments().records
    news = platform.news()
    return _encoded(
        {
            "connected": True,
            "platform": _platform(platform),
            "mpu": platform.mpu(),
            "deployments": [_deployment(record, news) for record in records],
        }
    )


def registry(session: Session) -> bytes:
    """All models by their names, each with its versions, newest first."""
    models = sorted(session.registry().models, key=lambda model: model.name.lower())
    return _encoded({"models": [_model(model) for model in models]})


def files(session: Session, *, version_id: str) -> bytes:
    """The files of a model version."""
    platform = session.platform
    found = platform.files(platform.model_version(version_id))
    return _encoded({"files": [{"name": f.name, "filename": f.filename} for f in found]})


def log(session: Session, *, name: str) -> bytes:
    """The last lines of a deployment's serving kernel."""
    return _encoded({"lines": list(session.log(name, lines=LOG_LINES))})


def stop(session: Session, *, name: str) -> bytes:
    """End a deployment's serving kernel; tells how it is now, and what could not be recorded."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        session.undeploy(name)
    notes = [str(one.message) for one in said if issubclass(one.category, UserWarning)]
    record = session.deployment(name).record
    return _encoded({"deployment": _deployment(record, None), "notes": notes})


def _platform(platform: PlatformClient) -> Json:
    return {
        "kind": "local" if platform.is_local else "cloud",
        "host": platform.host,
        "organization": platform.organization_name,
        "user": platform.username,
    }


def _model(model: Model) -> Json:
    versions = sorted(model.versions, key=lambda version: -version.version)
    return {"id": model.id, "name": model.name, "versions": [_version(one) for one in versions]}


def _version(version: ModelVersion) -> Json:
    return {
        "id": version.id,
        "title": version.title,
        "name": version.name,
        "version": version.version,
        "type": version.type.title,
        "framework": version.framework.value.replace("_", " ").lower(),
        "labels": len(version.labels),
    }


def _deployment(record: DeploymentRecord, news: News | None) -> Json:
    run = news.run_of(record.id) if news else None
    return {
        "id": record.id,
        "name": record.name,
        "model": record.model_title,
        "strategy": record.strategy.title,
        "state": record.state.value,
        "running": record.state in _RUNNING,
        # One that was told to stop says no more than that.
        "reason": "" if record.reason == record.state.value else record.reason,
        "place": record.serving.place if record.serving else "",
        "predictions": record.inferences or 0,
        "alerts": [_firing(one) for one in news.alerts_of(record.id)] if news else None,
        "training": _training(run) if run else None,
        "url": record.url,
    }


def _firing(one: Firing) -> Json:
    return {"id": one.id, "name": one.alert, "value": one.value, "over": one.is_over}


def _training(run: TrainingRun) -> Json:
    return {
        "id": run.id,
        "state": run.state.value.lower(),
        "progress": run.progress,
        "step": run.step,
        "place": run.place,
        "version": run.version,
        "error": run.error,
    }


def _encoded(said: Json) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode()
