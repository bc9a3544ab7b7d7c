"""Small PyTorch networks with what real ones have: convolutions, norms, heads of every form."""

from __future__ import annotations

import dataclasses
import warnings
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

SIDE = 32


class Found(NamedTuple):
    boxes: torch.Tensor
    scores: torch.Tensor


@dataclasses.dataclass
class Answer:
    logits: torch.Tensor
    hidden: torch.Tensor | None = None


class Backbone(nn.Module):
    """Convolutions, norms and a residual."""

    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, channels, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, images):
        first = torch.relu(self.bn1(self.conv1(images)))
        return first + torch.relu(self.bn2(self.conv2(first)))


class Classifier(nn.Module):
    """Logits of `classes` classes."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.linear = nn.Linear(8, classes)

    def forward(self, images):
        return self.linear(self.backbone(images).mean((2, 3)))


class Returning(nn.Module):
    """The classifier, with its outputs in another form."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.net = Classifier()
        self.form = form

    def forward(self, images):
        logits = self.net(images)
        more = logits.softmax(1)
        return {
            "tuple": lambda: (logits, more),
            "list": lambda: [logits, more],
            "dict": lambda: {"logits": logits, "more": more},
            "named tuple": lambda: Found(logits, more),
            "dataclass": lambda: Answer(logits),
            "nested": lambda: (logits, [more, more * 2]),
            "one dict an image": lambda: [
                {"scores": one[one > 0], "labels": torch.arange(len(one))[one > 0]}
                for one in logits
            ],
        }[self.form]()


def trained(network: nn.Module, seed: int = 0) -> nn.Module:
    """The network with norms that norm, as after a training."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.copy_(torch.randn(module.num_features, generator=generator) * 0.1)
            module.running_var.copy_(torch.rand(module.num_features, generator=generator) + 0.5)
    return network.eval()


def images(count: int, seed: int = 1) -> np.ndarray:
    """(N, 3, 32, 32) in [0, 1]."""
    return np.random.default_rng(seed).random((count, 3, SIDE, SIDE), dtype=np.float32)


def eager(network: nn.Module, batch: np.ndarray):
    """What PyTorch itself gives."""
    with torch.inference_mode():
        return network(torch.from_numpy(batch))


def script(network: nn.Module, path, *, trace: bool = True):
    """Save it as TorchScript."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        example = torch.from_numpy(images(1))
        made = torch.jit.trace(network, example) if trace else torch.jit.script(network)
        made.save(str(path))
    return path


def export(network: nn.Module, path, *, dynamic: bool = True):
    """Save it as a torch.export program."""
    shapes = ({0: torch.export.Dim("batch", min=1, max=256)},) if dynamic else None
    example = torch.from_numpy(images(2 if dynamic else 1))
    with path.open("wb") as stream:
        torch.export.save(torch.export.export(network, (example,), dynamic_shapes=shapes), stream)
    return path
