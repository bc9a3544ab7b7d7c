"""Tiny models whose outputs are known exactly."""

from __future__ import annotations

import functools
import io
import warnings
from pathlib import Path

import numpy as np

WIDTH, HEIGHT = 64, 48

BOXES = np.array([[8, 8, 24, 24], [9, 9, 25, 25], [32, 16, 56, 40]], dtype=np.float32)
SCORES = np.array([[0.9, 0.01], [0.8, 0.02], [0.03, 0.4]], dtype=np.float32)
"""Boxes 0 and 1 overlap and are of class 0; box 2 is of class 1."""

LOGITS = np.array([0.0, 3.0, 1.0], dtype=np.float32)

DETECTOR = {
    "format": 1,
    "input": {"width": WIDTH, "height": HEIGHT, "resize": "stretch", "channels": "L"},
    "head": "boxes_scores",
}
CLASSIFIER = {
    "format": 1,
    "input": {"width": 32, "height": 32, "resize": "stretch", "channels": "L"},
    "head": "class_scores",
    "activation": "softmax",
    "top_k": 2,
}


def onnx_detector(path: Path, *, channels: int = 1) -> Path:
    """Finds `BOXES` in every image."""
    return onnx_constants(path, {"boxes": BOXES[None], "scores": SCORES[None]}, channels=channels)


def onnx_constants(path: Path, constants: dict[str, np.ndarray], *, channels: int = 1) -> Path:
    """Says the same of every image."""
    from onnx import numpy_helper

    return _onnx(
        path,
        (1, channels, HEIGHT, WIDTH),
        {name: value.shape for name, value in constants.items()},
        [
            _node("Constant", [], [name], value=numpy_helper.from_array(value))
            for name, value in constants.items()
        ],
    )


def onnx_brightness(path: Path, *, channels: int = 1, side: int = 32) -> Path:
    """Its one class is scored with the mean of the input."""
    node = _node("ReduceMean", ["images"], ["score"], axes=[2, 3], keepdims=0)
    return _onnx(path, (1, channels, side, side), {"score": (1, channels)}, [node])


def onnx_classifier(path: Path) -> Path:
    """Says `LOGITS` of every image."""
    from onnx import numpy_helper

    node = _node("Constant", [], ["logits"], value=numpy_helper.from_array(LOGITS[None]))
    return _onnx(path, (1, 1, 32, 32), {"logits": (1, 3)}, [node])


def torchscript_detector(path: Path) -> Path:
    """The same as `onnx_detector`, with outputs in a tuple."""
    path.write_bytes(torchscript_bytes())
    return path


def exported_detector(path: Path) -> Path:
    """The same as `onnx_detector`, with outputs in a dict."""
    path.write_bytes(exported_bytes())
    return path


@functools.cache
def torchscript_bytes() -> bytes:
    import torch

    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.trace(_detector(as_dict=False), images()), out)
    return out.getvalue()


@functools.cache
def exported_bytes() -> bytes:
    import torch

    out = io.BytesIO()
    torch.export.save(torch.export.export(_detector(as_dict=True), (images(),)), out)
    return out.getvalue()


def images():
    import torch

    return torch.zeros(1, 1, HEIGHT, WIDTH)


def _detector(*, as_dict: bool):
    import torch

    class Detector(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.boxes = torch.nn.Buffer(torch.from_numpy(BOXES[None]))
            self.scores = torch.nn.Buffer(torch.from_numpy(SCORES[None]))

        def forward(self, images):
            boxes, scores = self.boxes + images.sum() * 0, self.scores * 1
            return {"boxes": boxes, "scores": scores} if as_dict else (boxes, scores)

    return Detector()


def _node(*args, **kwargs):
    from onnx import helper

    return helper.make_node(*args, **kwargs)


def _onnx(path: Path, shape, outputs, nodes) -> Path:
    from onnx import TensorProto, helper, save

    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, size)
            for name, size in outputs.items()
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    save(model, path)
    return path
