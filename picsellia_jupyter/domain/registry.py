"""What the Private Model Registry and the datalakes hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from picsellia_jupyter.domain.errors import InvalidInputError


class InferenceType(str, Enum):
    """What a model version predicts, by the platform's own names."""

    NOT_CONFIGURED = "NOT_CONFIGURED"
    CLASSIFICATION = "CLASSIFICATION"
    OBJECT_DETECTION = "OBJECT_DETECTION"
    SEGMENTATION = "SEGMENTATION"
    POINT = "POINT"
    KEYPOINT = "KEYPOINT"
    LINE = "LINE"
    MASK = "MASK"
    MULTI = "MULTI"

    @property
    def title(self) -> str:  # type: ignore[override]
        """The type in words: `object detection`."""
        return self.value.replace("_", " ").lower()


class Framework(str, Enum):
    """The framework a model version was trained with, by the platform's own names."""

    TENSORFLOW = "TENSORFLOW"
    PYTORCH = "PYTORCH"
    ONNX = "ONNX"
    NOT_CONFIGURED = "NOT_CONFIGURED"


@dataclass(frozen=True, slots=True)
class Datalake:
    """Where predicted images are stored, through its storage connector."""

    id: str
    name: str
    connector_id: str | None = None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model version; `name` is what it is asked for by."""

    id: str
    name: str
    """Free text, unique per version; the servable weights are called `model-latest`."""
    filename: str


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """A trained model in the Private Model Registry."""

    id: str
    model_id: str
    model_name: str
    name: str
    version: int
    """Counts from 0 within its model."""
    type: InferenceType
    framework: Framework
    labels: Mapping[int, str]
    """Class index to label name."""
    experiment_id: str | None = None
    """The experiment it came from; None where it was imported by hand."""

    @property
    def title(self) -> str:
        """The version as one would type it: `digits-detector:0`."""
        return f"{self.model_name}:{self.version}"


@dataclass(frozen=True, slots=True)
class Model:
    """A named family of model versions."""

    id: str
    name: str
    versions: tuple[ModelVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelReference:
    """What a user types for a model version: `digits-detector`, `digits-detector:2`."""

    model: str
    version: str | None = None
    """A number, or a version's name; None means the newest."""

    @classmethod
    def parse(cls, text: str) -> ModelReference:
        """Read `MODEL[:VERSION]`.

        Raises:
            InvalidInputError: the model's name is missing, or the version is empty.
        """
        model, colon, version = text.strip().partition(":")
        if not model or (colon and not version):
            raise InvalidInputError(
                f"{text!r} is not a model.",
                "Write MODEL or MODEL:VERSION, as in digits-detector:0.",
            )
        return cls(model, version or None)


def label_name(labels: Mapping[int, str], index: int) -> str:
    """The name of a class index, or `class 7` where the labels do not know it."""
    return labels.get(int(index), f"class {int(index)}")
