"""The demo's models with their files, and the images they were never trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.predictions import Detections
from picsellia_jupyter.domain.registry import Framework, InferenceType
from picsellia_jupyter.domain.training import NOTEBOOK

ASSETS = Path(__file__).parent / "assets"
LABELS: Mapping[int, str] = {digit: str(digit) for digit in range(10)}


@dataclass(frozen=True, slots=True)
class DemoModel:
    """A trained model, as it is registered in a Private Model Registry."""

    name: str
    type: InferenceType
    description: str
    stem: str
    """What the names of its files begin with, in the assets folder."""
    framework: Framework = Framework.PYTORCH
    notebook: str = ""
    """The asset that trains it further; empty where there is none."""

    @property
    def labels(self) -> dict[int, str]:
        """Class index to label name."""
        return dict(LABELS)

    @property
    def files(self) -> dict[str, Path]:
        """The files of the model version, by the name each is asked for by."""
        files = {
            "model-latest": ASSETS / f"{self.stem}.onnx",
            "model-export": ASSETS / f"{self.stem}.pt2",
            "serving.json": ASSETS / f"{self.stem}.serving.json",
        }
        return files | ({NOTEBOOK: ASSETS / self.notebook} if self.notebook else {})

    @property
    def repartition(self) -> dict[str, int]:
        """Label name to the number of its objects in the training data."""
        return dict(self._training()["repartition"])

    @property
    def training_parameters(self) -> dict[str, Any]:
        """What it was trained with."""
        return dict(self._training()["parameters"])

    @property
    def score(self) -> float:
        """What it reached on held-out images, in [0, 1]: AP50 of a detector, or accuracy."""
        return float(self._training()["score"])

    def _training(self) -> Mapping[str, Any]:
        training: Mapping[str, Any] = _read("training.json")[self.name]
        return training


MODELS: tuple[DemoModel, ...] = (
    DemoModel(
        name="digits-detector",
        type=InferenceType.OBJECT_DETECTION,
        description="Finds handwritten digits on scanned pages.",
        stem="digits_detector",
        notebook="digits_training.ipynb",
    ),
    DemoModel(
        name="digits-classifier",
        type=InferenceType.CLASSIFICATION,
        description="Reads one handwritten digit.",
        stem="digits_classifier",
    ),
)


def pages() -> tuple[Path, ...]:
    """The held-out pages, in a fixed order."""
    return tuple(ASSETS / "pages" / page["file"] for page in _read("pages.json"))


def ground_truth(page: str | Path) -> Detections:
    """What is written on a held-out page.

    Args:
        page: one of `pages()`, or a copy of it under the same file name.

    Returns:
        N digits with tight boxes in pixels; every score is 1.0.

    Raises:
        NotFoundError: no page has that file name.
    """
    known = {entry["file"]: entry for entry in _read("pages.json")}
    name = Path(page).name
    if name not in known:
        raise NotFoundError.named("demo page", name, sorted(known))
    entry = known[name]
    return Detections(
        classes=np.array(entry["labels"], np.int64),
        scores=np.ones(len(entry["labels"]), np.float32),
        boxes_xyxy=np.array(entry["boxes_xyxy"], np.float32).reshape(-1, 4),
    )


def digits() -> tuple[tuple[Path, int], ...]:
    """Held-out pictures of single digits, each with the digit written on it."""
    return tuple((ASSETS / "digits" / one["file"], one["label"]) for one in _read("digits.json"))


def _read(name: str) -> Any:
    return json.loads((ASSETS / name).read_text(encoding="utf-8"))
