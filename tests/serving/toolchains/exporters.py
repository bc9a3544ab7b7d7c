"""The real exporters."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.serving.toolchains.case import ONNX, TORCHSCRIPT, Case


def export(case: Case, how: str, path: Path) -> Path:
    """Write a case's model in a format."""
    return (case.export or _torch_export)(case, how, path)


def eager(case: Case) -> Mapping[str, np.ndarray]:
    """The model's own outputs for the photo, by the names that ONNX gives them."""
    return (case.run or _torch_eager)(case)


def _torch_export(case: Case, how: str, path: Path) -> Path:
    import torch

    module = case.make().eval()
    images = torch.from_numpy(case.view.input())
    beside = _beside(case)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        if how == ONNX:
            torch.onnx.export(
                module,
                (images, *beside.values()),
                str(path),
                input_names=["images", *beside],
                output_names=list(case.names),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        elif how == TORCHSCRIPT:
            torch.jit.save(torch.jit.trace(module, images, strict=False), str(path))
        else:
            with path.open("wb") as stream:
                torch.export.save(torch.export.export(module, (images,)), stream)
    return path


def _torch_eager(case: Case) -> dict[str, np.ndarray]:
    import torch

    with torch.no_grad():
        value = case.make().eval()(torch.from_numpy(case.view.input()), *_beside(case).values())
    if isinstance(value, list):
        (value,) = value  # torchvision's detectors: a dict for each image
    if isinstance(value, dict):
        return {name: tensor.numpy() for name, tensor in value.items()}
    values = value if isinstance(value, tuple) else (value,)
    return {name: v.numpy() for name, v in zip(case.names, values, strict=True)}


def _beside(case: Case) -> dict[str, Any]:
    import torch

    given = case.beside(case.view) if case.beside else {}
    return {name: torch.from_numpy(array) for name, array in given.items()}
