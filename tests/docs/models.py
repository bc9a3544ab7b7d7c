"""Small models with outputs of the forms that the pages speak of."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SIDE = 64
LABELS = {"0": "bolt", "1": "nut", "2": "washer"}
BOXES = np.array([[8, 8, 24, 24], [32, 16, 56, 40]], np.float32)
"""Left, top, right, bottom, in pixels of the input."""


def yolo(path: Path) -> None:
    """(1, 4 + C, A), as Ultralytics' YOLOv8 and later ones are exported."""
    centres, sides = (BOXES[:, :2] + BOXES[:, 2:]) / 2, BOXES[:, 2:] - BOXES[:, :2]
    scores = np.array([[0.9, 0.01, 0.02], [0.03, 0.02, 0.6]], np.float32)
    rows = np.concatenate([centres, sides, scores], axis=1)
    # As many anchors as strides 8, 16 and 32 have cells.
    anchors = np.zeros((sum((SIDE // stride) ** 2 for stride in (8, 16, 32)), 7), np.float32)
    anchors[:, :4] = (SIDE / 2, SIDE / 2, 8, 8)
    anchors[: len(rows)] = rows
    _constants(path, {"output0": anchors.T[None]})


def torchvision(path: Path) -> None:
    """`boxes`, `labels` and `scores` of one image, the background being class 0."""
    found = {
        "boxes": BOXES,
        "labels": np.array([1, 3], np.int64),
        "scores": np.array([0.9, 0.6], np.float32),
    }
    _constants(path, found)


def _constants(path: Path, outputs: dict[str, np.ndarray]) -> None:
    from onnx import helper, numpy_helper, save

    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
        for name, value in outputs.items()
    ]
    shapes = [
        helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape
        )
        for name, value in outputs.items()
    ]
    images = helper.make_tensor_value_info("images", 1, (1, 3, SIDE, SIDE))
    graph = helper.make_graph(nodes, "found", [images], shapes)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    save(made, path)
