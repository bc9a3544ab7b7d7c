"""A registry, datalakes and places to choose from."""

from __future__ import annotations

from dataclasses import replace

from picsellia_jupyter.domain.deployments import DeploymentRecord, ServingState, Strategy
from picsellia_jupyter.domain.places import Gpu, Inventory, Kind, Place, PlaceReport
from picsellia_jupyter.domain.registry import (
    Datalake,
    Framework,
    InferenceType,
    Model,
    ModelFile,
    ModelVersion,
)
from picsellia_jupyter.widgets.choices import Choices, VersionFacts

LABELS = {index: str(index) for index in range(10)}


def version(model: str, number: int, kind: InferenceType) -> ModelVersion:
    return ModelVersion(
        f"{model}-{number}", model, model, f"v{number}", number, kind, Framework.PYTORCH, LABELS
    )


DETECTOR = version("detector", 0, InferenceType.OBJECT_DETECTION)
NEWER = version("detector", 1, InferenceType.OBJECT_DETECTION)
CLASSIFIER = version("classifier", 0, InferenceType.CLASSIFICATION)
GPU1 = Place(Kind.SERVER, "gpu1", "https://gpu-box:8888")
HERE = Place(Kind.LOCAL, "local")
L4 = Gpu("NVIDIA L4", 23_034, 20_582)

CHOICES = Choices(
    listed=(
        Model("detector", "detector", (DETECTOR, NEWER)),
        Model("classifier", "classifier", (CLASSIFIER,)),
    ),
    lakes=(Datalake("1", "default", "c1"), Datalake("2", "press line", "c2")),
    saved={"gpu1": "https://gpu-box:8888"},
    is_read=True,
)
CLOUD = replace(CHOICES, serves_itself=True)
ASKED = replace(
    CHOICES,
    reports=(
        PlaceReport(HERE, Inventory(cores=2)),
        PlaceReport(GPU1, Inventory(cores=8, gpus=(L4,), serving=("cats:1",))),
    ),
)


def knowing(choices: Choices, version: ModelVersion, *files: str, experiment: str | None = None):
    """The choices with the files and the source of a version."""
    facts = VersionFacts(tuple(ModelFile(name, name, name) for name in files), experiment)
    return replace(choices, facts={**choices.facts, version.id: facts})


def record(name: str, of: ModelVersion, strategy: Strategy = Strategy.SERVING) -> DeploymentRecord:
    return DeploymentRecord(
        id=f"id of {name}",
        name=name,
        type=of.type,
        strategy=strategy,
        state=ServingState.READY,
        model_version_id=of.id,
        model_title=of.title,
        threshold=0.1,
        datalake_id="1",
        datalake_name="default",
    )
