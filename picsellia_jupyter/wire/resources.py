"""Everything but predictions as JSON: deployments, heartbeats, logs, errors, replies."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from picsellia_jupyter.domain import errors
from picsellia_jupyter.domain.deployments import (
    Answers,
    Check,
    DeploymentRecord,
    DryRun,
    FailedSwitch,
    Heartbeat,
    ServingJob,
    ServingKernel,
    ServingState,
    Strategy,
)
from picsellia_jupyter.domain.errors import PicselliaJupyterError, PlatformError
from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage
from picsellia_jupyter.domain.registry import (
    Datalake,
    Framework,
    InferenceType,
    ModelVersion,
)
from picsellia_jupyter.domain.running import Running
from picsellia_jupyter.wire.predictions import Json, from_raw, to_raw

PREDICTION_ID_KEY = "picsellia_jupyter_id"
"""Key of a monitored prediction's `custom_metadata` that holds the client's own UUID.

The local platform makes it the prediction's id and stores each one once; on the cloud it
lets duplicates be seen.
"""
MODEL_VERSION_KEY = "picsellia_jupyter_model_version"
"""Key of a monitored prediction's `custom_metadata` that names the model version it is of.

The champion may have changed between the prediction and its recording. The local platform alone
is told; where nothing is said, it takes the champion of the moment.
"""


# Registry ------------------------------------------------------------------------------------


def model_version_from_json(
    raw: Mapping[str, Any], *, experiment_id: str | None = None
) -> ModelVersion:
    """Read a model version of the main API."""
    origin = raw["origin"]
    labels = {int(index): str(name) for index, name in (raw.get("labels") or {}).items()}
    return ModelVersion(
        id=str(raw["id"]),
        model_id=str(origin["id"]),
        model_name=str(origin["name"]),
        name=str(raw["name"]),
        version=int(raw["version"]),
        type=InferenceType(raw["type"]),
        framework=Framework(raw["framework"]),
        labels=dict(sorted(labels.items())),
        experiment_id=experiment_id,
    )


def datalake_from_json(raw: Mapping[str, Any]) -> Datalake:
    """Read a datalake of the main API."""
    connector = raw.get("connector_id")
    return Datalake(str(raw["id"]), str(raw["name"]), str(connector) if connector else None)


# Deployments ---------------------------------------------------------------------------------


def deployment_from_json(
    raw: Mapping[str, Any],
    *,
    version: ModelVersion | None = None,
    shadow: ModelVersion | None = None,
    datalake_name: str = "",
) -> DeploymentRecord:
    """Read a deployment of the main API, with what only the local platform adds to it.

    The cloud says nothing of kernels: what it hosts has a serving address.
    """
    serving = raw.get("serving") or {}
    inferences = raw.get("inferences")
    hosted = "disable_serving" not in raw and bool(raw.get("serving_host"))
    unsaid = "disable_serving" not in raw and not hosted
    return DeploymentRecord(
        id=str(raw["id"]),
        name=str(raw["name"]),
        type=InferenceType(raw["type"]),
        strategy=Strategy.MONITORING if raw.get("disable_serving") or unsaid else Strategy.SERVING,
        state=ServingState.HOSTED if hosted else ServingState(serving.get("state") or "not served"),
        model_version_id=str(raw.get("model_version_id") or ""),
        model_title=version.title if version else "",
        threshold=raw.get("min_threshold"),
        datalake_id=str(raw.get("target_datalake_id") or ""),
        datalake_name=datalake_name,
        labels=dict(version.labels) if version else {},
        inferences=None if inferences is None else int(inferences),
        created_at=raw.get("created_at"),
        reason=str(serving.get("reason") or ""),
        serving=kernel_from_json(serving["kernel"]) if serving.get("kernel") else None,
        sample_rate=_rate(raw.get("sample_rate")),
        shadow_title=shadow.title if shadow else "",
    )


def _rate(told: Any) -> float:
    return 1.0 if told is None else float(told)


def heartbeat_to_json(beat: Heartbeat) -> Json:
    """Spell a heartbeat: body of `POST /api/local/deployments/{id}/heartbeat`."""
    return {
        "state": beat.state.value,
        "reason": beat.reason,
        "kernel": dataclasses.asdict(beat.kernel),
        "claim": beat.claim,
        "failed": dataclasses.asdict(beat.failed) if beat.failed else None,
        "answers": dataclasses.asdict(beat.answers) if beat.answers else None,
    }


def heartbeat_from_json(raw: Mapping[str, Any]) -> Heartbeat:
    """Read a heartbeat."""
    failed = raw.get("failed")
    return Heartbeat(
        state=ServingState(raw["state"]),
        kernel=kernel_from_json(raw["kernel"]),
        reason=str(raw.get("reason") or ""),
        claim=raw.get("claim") is True,
        failed=FailedSwitch(str(failed["version_id"]), str(failed["why"])) if failed else None,
        answers=_answers(raw.get("answers")),
    )


def _answers(raw: Mapping[str, Any] | None) -> Answers | None:
    if not raw:
        return None
    return Answers(str(raw["counter"]), int(raw["answered"]), int(raw["failed"]))


def kernel_from_json(raw: Mapping[str, Any]) -> ServingKernel:
    """Read what a serving kernel says of itself."""
    return ServingKernel(
        kernel_id=str(raw["kernel_id"]),
        address=str(raw["address"]),
        place=str(raw["place"]),
        pid=raw.get("pid"),
        model_version_id=str(raw.get("model_version_id") or ""),
        shadow_version_id=str(raw.get("shadow_version_id") or ""),
    )


def job_to_json(job: ServingJob) -> Json:
    """Spell a serving job; it holds tokens, so it travels in a message, never in argv."""
    return dataclasses.asdict(job)


def job_from_json(raw: Mapping[str, Any]) -> ServingJob:
    """Read a serving job."""
    told = {field.name for field in dataclasses.fields(ServingJob)} & set(raw)
    values: dict[str, Any] = {name: str(raw[name]) for name in told}
    if "idle_s" in told:
        values["idle_s"] = None if raw["idle_s"] is None else float(raw["idle_s"])
    if "relayed" in told:
        values["relayed"] = raw["relayed"] is True
    if "workers" in told:
        values["workers"] = None if raw["workers"] is None else int(raw["workers"])
    return ServingJob(**values)


def dry_run_from_json(raw: Mapping[str, Any]) -> DryRun:
    """Read what a dry run showed."""
    return DryRun(
        latency_s=float(raw["latency_s"]),
        found=int(raw["found"]),
        runtime=str(raw["runtime"]),
        sandbox=str(raw.get("sandbox") or "process"),
        checks=tuple(
            Check(str(one["name"]), str(one["found"]), str(one["remedy"]))
            for one in raw.get("checks") or ()
        ),
    )


# Predictions of a serving kernel -------------------------------------------------------------


def reply_to_json(image: PredictedImage, *, monitored: bool) -> Json:
    """Spell a serving kernel's answer: `raw_predictions`' own keys, and what goes with them."""
    return {
        **to_raw(image.found, image.size),
        "id": image.prediction_id,
        "type": image.found.inference_type.value,
        "filename": image.source,
        "width": image.size.width,
        "height": image.size.height,
        "latency": image.latency_s,
        "monitored": monitored,
        "model_version_id": image.model_version_id or None,
    }


def reply_from_json(raw: Mapping[str, Any], *, source: str) -> PredictedImage:
    """Read a serving kernel's answer."""
    prediction_id = raw.get("id")
    return PredictedImage(
        source=source,
        size=ImageSize(int(raw["width"]), int(raw["height"])),
        found=from_raw(InferenceType(raw["type"]), raw),
        latency_s=float(raw["latency"]),
        prediction_id=str(prediction_id) if prediction_id else None,
        model_version_id=str(raw.get("model_version_id") or ""),
    )


# Statistics ----------------------------------------------------------------------------------


def log_to_json(log: PredictionLog) -> Json:
    """Spell a prediction log as columns: the reply of the `metrics` statistic."""
    return {
        "service": "metrics",
        "count": len(log),
        "timestamps": log.at.tolist(),
        "latencies": log.latency_s.tolist(),
        "shape_of": log.shape_of.tolist(),
        "classes": log.classes.tolist(),
        "scores": log.scores.tolist(),
    }


def log_from_json(raw: Mapping[str, Any]) -> PredictionLog:
    """Read the `metrics` statistic.

    Raises:
        PlatformError: it has another shape, as the cloud's may have.
    """
    try:
        return PredictionLog(
            at=np.asarray(raw["timestamps"], dtype=np.float64),
            latency_s=np.asarray(raw["latencies"], dtype=np.float64),
            shape_of=np.asarray(raw["shape_of"], dtype=np.int64),
            classes=np.asarray(raw["classes"], dtype=np.int64),
            scores=np.asarray(raw["scores"], dtype=np.float64),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise PlatformError(
            f"The platform's 'metrics' statistic has an unknown shape ({error}).",
            "Open the deployment's dashboard on the platform instead.",
        ) from error


# Errors --------------------------------------------------------------------------------------


def running_from_json(raw: Mapping[str, Any]) -> Running:
    """Read what a serving kernel says of the model that it runs."""
    return Running(
        device=str(raw.get("device") or ""),
        precision=str(raw.get("precision") or ""),
        memory_bytes=int(raw.get("memory_bytes") or 0),
        workers=int(raw.get("workers") or 0),
        idle_s=_seconds(raw.get("idle_s")),
        idle_left_s=_seconds(raw.get("idle_left_s")),
        relayed=raw.get("relayed") is True,
        predicted=None if raw.get("predicted") is None else int(raw["predicted"]),
        failed=int(raw.get("failed") or 0),
        recorded=int(raw.get("recorded") or 0),
        latency_s=float(raw.get("latency_s") or 0.0),
    )


def _seconds(raw: Any) -> float | None:
    return None if raw is None else float(raw)


def error_to_json(error: PicselliaJupyterError) -> Json:
    """Spell an error: its class, its fact and its remedy, in the platform's error form."""
    return {"message": error.fact, "detail": error.remedy or None, "error": type(error).__name__}


def error_from_json(raw: Mapping[str, Any]) -> PicselliaJupyterError:
    """Read an error; a class that is not known here becomes its nearest base."""
    kind = getattr(errors, str(raw.get("error")), None)
    fact, remedy = str(raw.get("message") or "No message."), str(raw.get("detail") or "")
    if not (isinstance(kind, type) and issubclass(kind, PicselliaJupyterError)):
        return PicselliaJupyterError(fact, remedy)
    if issubclass(kind, errors.MissingExtraError):
        return PicselliaJupyterError(fact, remedy)
    return kind(fact, remedy)
