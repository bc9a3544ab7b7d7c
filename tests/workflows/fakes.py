"""Fakes of our own ports: a platform in memory and a launcher that starts nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from picsellia_jupyter.domain.allowance import Allowance
from picsellia_jupyter.domain.deployments import (
    DeploymentPlan,
    DeploymentRecord,
    DryRun,
    ServingKernel,
    ServingState,
    Stage,
)
from picsellia_jupyter.domain.monitoring import PredictionLog
from picsellia_jupyter.domain.registry import (
    Datalake,
    Framework,
    InferenceType,
    Model,
    ModelFile,
    ModelVersion,
)


def version(model: str, number: int, kind: InferenceType = InferenceType.OBJECT_DETECTION):
    return ModelVersion(
        f"{model}-{number}", model, model, f"v{number}", number, kind, Framework.ONNX, {0: "0"}
    )


class FakePlatform:
    """The registry, datalakes and deployments of an organization, in memory."""

    def __init__(self, *versions: ModelVersion, files: Sequence[str] = ("model-latest",)) -> None:
        self.stored = list(versions)
        self.records: dict[str, DeploymentRecord] = {}
        self.file_names = files
        self.allowed: Allowance | None = None

    def models(self) -> list[Model]:
        names = dict.fromkeys(v.model_name for v in self.stored)
        return [Model(name, name) for name in names]

    def versions(self, model: Model) -> list[ModelVersion]:
        return [v for v in self.stored if v.model_name == model.name]

    def files(self, version: ModelVersion) -> list[ModelFile]:
        return [ModelFile(name, name, name) for name in self.file_names]

    def datalakes(self) -> list[Datalake]:
        return [Datalake("1", "default"), Datalake("2", "archive")]

    def deployments(self) -> list[DeploymentRecord]:
        return list(self.records.values())[::-1]

    def find_deployment(self, name: str) -> DeploymentRecord | None:
        return next((r for r in self.records.values() if name in (r.name, r.id)), None)

    def allowance(self) -> Allowance | None:
        return self.allowed

    def create_deployment(self, plan: DeploymentPlan) -> DeploymentRecord:
        record = DeploymentRecord(
            id=f"d{len(self.records)}",
            name=plan.name or "calm-river",
            type=plan.model_version.type,
            strategy=plan.strategy,
            state=ServingState.NOT_SERVED,
            model_version_id=plan.model_version.id,
            model_title=plan.model_version.title,
            threshold=plan.threshold,
            datalake_id=plan.datalake.id,
        )
        self.records[record.id] = record
        return record

    def set_threshold(self, deployment_id: str, threshold: float) -> DeploymentRecord:
        self.records[deployment_id] = replace(self.records[deployment_id], threshold=threshold)
        return self.records[deployment_id]

    def delete_deployment(self, deployment_id: str) -> None:
        del self.records[deployment_id]

    def prediction_log(
        self, deployment_id: str, *, since: float | None, until: float | None
    ) -> PredictionLog:
        raise NotImplementedError


class FakeServing:
    """A serving kernel that passes its stages, or fails where it is told to."""

    def __init__(self, fails_at: object = None) -> None:
        self.fails_at = fails_at
        self.running = True
        self.attached: str | None = None
        self.dry_run = DryRun(0.01, 3, "onnxruntime")

    def prepare(self, on_stage: Callable[[Stage, str], None]) -> DryRun:
        for stage in (Stage.DOWNLOAD, Stage.LOAD, Stage.DRY_RUN):
            on_stage(stage, "…")
            if isinstance(self.fails_at, tuple) and self.fails_at[0] is stage:
                raise self.fails_at[1]
        return self.dry_run

    def attach(self, record: DeploymentRecord) -> ServingKernel:
        if isinstance(self.fails_at, tuple) and self.fails_at[0] is Stage.READY:
            raise self.fails_at[1]
        self.attached = record.id
        return ServingKernel("k", "http://127.0.0.1:1", "local")

    def stop(self) -> None:
        self.running = False


class FakeLauncher:
    """Hands out the serving kernels it was given."""

    def __init__(self, serving: FakeServing) -> None:
        self.serving = serving
        self.plans: list[DeploymentPlan] = []

    def start(self, plan: DeploymentPlan) -> FakeServing:
        self.plans.append(plan)
        return self.serving
