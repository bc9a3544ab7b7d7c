"""A number for every pixel: semantic segmentation and heatmaps."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from picsellia_jupyter.domain.registry import InferenceType
from tests.serving.toolchains.case import ONNX, TORCH_EXPORT, Case, Expected
from tests.serving.toolchains.reference import FLOOR, sigmoid, softmax
from tests.serving.toolchains.view import View

CLASSES = 4
MASK, KEYPOINT, POINT = InferenceType.MASK, InferenceType.KEYPOINT, InferenceType.POINT


class Dense(nn.Module):
    """Smooth class logits at a quarter of the input's size."""

    channels, gain = CLASSES, 6.0

    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.conv = nn.Conv2d(3, self.channels, 5, padding=2)
        nn.init.normal_(self.conv.weight, std=self.gain / 25)

    def forward(self, images):
        return self.formed(self.conv(functional.avg_pool2d(images, 4)))

    def formed(self, logits):
        return logits


class OutDict(Dense):
    """As torchvision.models.segmentation: a dict, at the input's own size."""

    def formed(self, logits):
        return {"out": functional.interpolate(logits, scale_factor=4, mode="bilinear")}


class Probabilities(Dense):
    def formed(self, logits):
        return logits.softmax(1)


class ClassMap(Dense):
    def formed(self, logits):
        return functional.interpolate(logits, scale_factor=4, mode="bilinear").argmax(1)


class OneClass(Dense):
    channels = 1


class Heatmaps(Dense):
    channels, gain = 5, 3.0

    def formed(self, logits):
        return logits.sigmoid()


def segformer_of_transformers():
    from transformers import SegformerConfig, SegformerForSemanticSegmentation

    class Logits(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, images):
            return self.model(pixel_values=images).logits

    torch.manual_seed(9)
    config = SegformerConfig(
        num_encoder_blocks=2, depths=[1, 1], sr_ratios=[2, 1], hidden_sizes=[16, 16],
        patch_sizes=[7, 3], strides=[4, 2], num_attention_heads=[1, 1], mlp_ratios=[2, 2],
        decoder_hidden_size=16, num_labels=CLASSES,
    )  # fmt: skip
    model = SegformerForSemanticSegmentation(config)
    nn.init.normal_(model.decode_head.classifier.weight, std=1.0)
    return Logits(model)


def lraspp_of_torchvision():
    from torchvision.models.segmentation import lraspp_mobilenet_v3_large

    torch.manual_seed(9)
    model = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=CLASSES)
    for layer in (model.classifier.low_classifier, model.classifier.high_classifier):
        nn.init.normal_(layer.weight, std=3.0)
    return model


# What comes of them ------------------------------------------------------------------------


def likeliest(outputs, view, *, probable=False, offset=0):
    grid = next(iter(outputs.values()))[0]
    chosen = view.sampled(grid).argmax(0)
    scores = grid if probable else softmax(grid, axis=0)
    winners = grid.argmax(0)
    found = [label for label in range(1, len(grid)) if (chosen == label).any()]
    return Expected(
        [label + offset for label in found],
        [float(scores[label][winners == label].mean()) for label in found],
        masks=[chosen == label for label in found],
    )


def of_a_map(outputs, view):
    cells = next(iter(outputs.values()))[0]
    y, x = _cells(view)
    chosen = cells[np.clip(y, 0, view.side - 1)][:, np.clip(x, 0, view.side - 1)]
    found = [int(label) for label in np.unique(chosen) if label]
    return Expected(found, [1.0] * len(found), masks=[chosen == label for label in found])


def _cells(view):
    """Rows and columns of the input that hold the centres of the photo's pixels."""
    height, width = 150, 200
    y = (np.arange(height) + 0.5) * view.ratio[1] + view.offset[1]
    x = (np.arange(width) + 0.5) * view.ratio[0] + view.offset[0]
    return np.floor(y).astype(int), np.floor(x).astype(int)


def one_class(outputs, view):
    grid = next(iter(outputs.values()))[0]
    probable = sigmoid(grid[0])
    return Expected(
        [0], [float(probable[probable >= 0.5].mean())], masks=[view.sampled(grid)[0] >= 0]
    )


def _shifted(grid, row, column, view):
    """A peak, a quarter of a cell towards its higher neighbours, in pixels of the photo."""
    height, width = grid.shape
    across = np.sign(grid[row, min(column + 1, width - 1)] - grid[row, max(column - 1, 0)])
    down = np.sign(grid[min(row + 1, height - 1), column] - grid[max(row - 1, 0), column])
    x, y = (column + 0.5 + across / 4) / width, (row + 0.5 + down / 4) / height
    return view.back(np.array([x, y]) * view.side)


def skeleton(outputs, view):
    maps = next(iter(outputs.values()))[0]
    joints, peaks = [], []
    for grid in maps:
        row, column = np.unravel_index(grid.argmax(), grid.shape)
        joints.append([*_shifted(grid, row, column, view), 2])
        peaks.append(grid.max())
    return Expected([0], [float(np.mean(peaks))], paths=np.array([joints]))


def points(outputs, view):
    found = []
    for label, grid in enumerate(next(iter(outputs.values()))[0]):
        framed = np.pad(grid, 1, constant_values=-np.inf)
        for row, column in np.ndindex(*grid.shape):
            around = framed[row : row + 3, column : column + 3]
            if grid[row, column] >= max(FLOOR, around.max()):
                found.append((grid[row, column], label, _shifted(grid, row, column, view)))
    found.sort(key=lambda one: -one[0])
    scores, labels, xy = zip(*found, strict=True)
    return Expected(labels, scores, paths=np.array(xy))


SEGMENT = "semantic segmentation"
LOGITS = "(1, C, h, w) logits"
IMAGENET = View(imagenet=True)
CASES = [
    Case(
        "Hugging Face SegFormer", SEGMENT, LOGITS, MASK, CLASSES, segformer_of_transformers,
        likeliest, names=("logits",), formats=(ONNX, TORCH_EXPORT), real=True,
        needs="transformers",
    ),
    Case(
        "torchvision LR-ASPP", SEGMENT, "`out` (1, C, H, W) logits", MASK, CLASSES,
        lraspp_of_torchvision, likeliest, IMAGENET, ("out",), real=True, needs="torchvision",
    ),
    Case(
        "torchvision", SEGMENT, "`out` (1, C, H, W) logits", MASK, CLASSES, OutDict,
        likeliest, IMAGENET, ("out",),
    ),
    Case("any", SEGMENT, LOGITS, MASK, CLASSES, Dense, likeliest),
    Case(
        "any", SEGMENT, "(1, C + 1, h, w) logits, labels without the background", MASK,
        CLASSES - 1, Dense, functools.partial(likeliest, offset=-1),
    ),
    Case(
        "any", SEGMENT, "(1, C, h, w) probabilities", MASK, CLASSES, Probabilities,
        functools.partial(likeliest, probable=True),
    ),
    Case("any", SEGMENT, "(1, H, W) classes", MASK, CLASSES, ClassMap, of_a_map),
    Case("any", SEGMENT, "(1, 1, h, w) logits of one class", MASK, 1, OneClass, one_class),
    Case("any", "keypoints", "(1, K, h, w) heatmaps", KEYPOINT, 1, Heatmaps, skeleton),
    Case("any", "points", "(1, C, h, w) heatmaps", POINT, 5, Heatmaps, points),
]  # fmt: skip
