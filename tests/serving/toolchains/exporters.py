"""The real exporters."""

from __future__ import annotations

import warnings
from pathlib import Path

from tests.serving.toolchains.case import ONNX, TORCHSCRIPT, Case


def export(case: Case, how: str, path: Path) -> Path:
    import torch

    module = case.make().eval()
    images = torch.from_numpy(case.view.input())
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        if how == ONNX:
            torch.onnx.export(
                module,
                (images,),
                str(path),
                input_names=["images"],
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


def eager(case: Case) -> dict:
    """The module's own outputs for the photo, by the names that ONNX gives them."""
    import torch

    with torch.no_grad():
        value = case.make().eval()(torch.from_numpy(case.view.input()))
    if isinstance(value, dict):
        return {name: tensor.numpy() for name, tensor in value.items()}
    values = value if isinstance(value, tuple) else (value,)
    return {name: v.numpy() for name, v in zip(case.names, values, strict=True)}
