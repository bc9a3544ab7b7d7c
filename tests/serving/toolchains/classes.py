"""Classification: logits and probabilities."""

from __future__ import annotations

import functools

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from picsellia_jupyter.domain.registry import InferenceType
from tests.serving.toolchains.case import ONNX, TORCH_EXPORT, Case, Expected
from tests.serving.toolchains.reference import softmax
from tests.serving.toolchains.view import View

CLASSES = 7
SAFETENSORS, STATE_DICT = "safetensors", "state dict"
KIND = InferenceType.CLASSIFICATION
STRETCHED = View(resize="stretch")
CROPPED = View(resize="crop", share=0.875, imagenet=True)
PRESET = {
    "input": {
        "resize": "crop", "crop": 0.875, "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    }
}  # fmt: skip
"""As torchvision prepares the images of its classifiers."""


class Logits(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.linear = nn.Linear(3 * 64, CLASSES)
        nn.init.normal_(self.linear.weight, std=0.3)

    def forward(self, images):
        return self.linear(functional.avg_pool2d(images, 8).flatten(1))


class Probabilities(Logits):
    def forward(self, images):
        return super().forward(images).softmax(-1)


def resnet_of_transformers():
    from transformers import ResNetConfig, ResNetForImageClassification

    class Named(nn.Module):
        def __init__(self, model):
            super().__init__()
            self.model = model

        def forward(self, images):
            return {"logits": self.model(pixel_values=images).logits}

    torch.manual_seed(1)
    config = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic",
        num_labels=CLASSES,
    )  # fmt: skip
    return Named(ResNetForImageClassification(config))


def resnet_of_torchvision():
    from torchvision.models import resnet18

    torch.manual_seed(1)
    return resnet18(num_classes=CLASSES)


def best_five(outputs, view, *, probable=False):
    scores = next(iter(outputs.values()))[0]
    scores = scores if probable else softmax(scores)
    order = np.argsort(-scores)[:5]
    return Expected(order.tolist(), scores[order].tolist())


def safetensors(weights, path):
    from safetensors.torch import save_file

    save_file(weights, path)


def state_dict(weights, path):
    torch.save(weights, path)


def _case(toolchain, outputs, make, **more):
    expected = functools.partial(best_five, probable="probabilities" in outputs)
    names, view = more.pop("names", ("logits",)), more.pop("view", STRETCHED)
    return Case(
        toolchain, "classification", outputs, KIND, CLASSES, make, expected, view, names,
        **more,
    )  # fmt: skip


WEIGHTS = {SAFETENSORS: safetensors, STATE_DICT: state_dict}
ARCHITECTURE = "logits-of-the-tests"


def export_weights(case, how, path):
    """The module's weights alone, as PyTorch's and safetensors' guides store them."""
    WEIGHTS[how](case.make().state_dict(), path)
    return path


CASES = [
    _case(
        "Hugging Face ResNet", "(1, C) logits", resnet_of_transformers, real=True,
        needs="transformers", formats=(ONNX, TORCH_EXPORT),
    ),
    _case(
        "torchvision ResNet", "(1, C) logits", resnet_of_torchvision, real=True,
        needs="torchvision", view=CROPPED, said=PRESET,
    ),
    _case("any", "(1, C) logits", Logits),
    _case(
        "any", "(1, C) logits, of torchvision's normalised crop", Logits, view=CROPPED,
        said=PRESET, formats=(ONNX,),
    ),
    _case(
        "any", "(1, C) logits", Logits, formats=(SAFETENSORS, STATE_DICT), export=export_weights,
        said={"architecture": ARCHITECTURE},
    ),
    _case("any, such as Ultralytics", "(1, C) probabilities", Probabilities, names=("output0",)),
]  # fmt: skip
