"""torchvision, where it is installed: its operators, and its networks for weights alone."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from picsellia_jupyter.domain.errors import ModelLoadError, first_line


def torchvision(why: str) -> Any:
    """The package, whose import has torch know its operators.

    Args:
        why: what needs it, as the beginning of a sentence.

    Raises:
        ModelLoadError: it is not installed, or was made for another torch.
    """
    try:
        return importlib.import_module("torchvision")
    except Exception as error:
        raise ModelLoadError(
            f"{why}: {first_line(error)}",
            "Install it where the model is served, of the same build as torch (pip install "
            "torchvision), or export the model as ONNX: torch.onnx.export(…, dynamo=False).",
        ) from error


def build(model: str, **arguments: Any) -> Any:
    """A network of torchvision with fresh weights; nothing is downloaded.

    Args:
        model: as torchvision calls it: `resnet18`.
        arguments: what it is made with: `num_classes=3`.

    Raises:
        ModelLoadError: torchvision is not to be had.
        ValueError: it has no network of that name.
    """
    builder = torchvision("The weights' network is one of torchvision").models.get_model_builder(
        model
    )
    takes = inspect.signature(builder).parameters
    none = dict.fromkeys(name for name in ("weights", "weights_backbone") if name in takes)
    return builder(**{**arguments, **none})
