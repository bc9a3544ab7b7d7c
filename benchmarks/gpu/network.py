"""The model that is served, and the photos it gets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.serving import workload

SIDE = 224
CLASSES = 1000
MANIFEST = {
    "format": 1,
    "input": {
        "width": SIDE, "height": SIDE, "resize": "stretch", "channels": "RGB",
        "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
    },
    "head": "class_scores", "activation": "softmax",
}  # fmt: skip
EXPORTED, ONE_BY_ONE, SCRIPT = "model.pt2", "single.pt2", "model.pt"
"""Files: with any batch, with a batch of one alone, and TorchScript."""


def make(folder: Path) -> None:
    """Write the model in its three forms, its serving.json, and photos with their forms."""
    import torch

    (folder / "serving.json").write_text(json.dumps(MANIFEST))
    for number in range(workload.PHOTOS):
        encoded = workload.photo(number)  # 640 x 480, about 70 kB
        (folder / f"{number}.jpg").write_bytes(encoded)
        (folder / f"{number}.form").write_bytes(workload.form(encoded))
    model = backbone()
    one, two = (torch.zeros(n, 3, SIDE, SIDE) for n in (1, 2))
    shapes = ({0: torch.export.Dim("batch", min=1, max=1024)},)
    many = torch.export.export(model, (two,), dynamic_shapes=shapes)
    torch.export.save(many, folder / EXPORTED)
    torch.export.save(torch.export.export(model, (one,)), folder / ONE_BY_ONE)
    with torch.no_grad():
        torch.jit.save(torch.jit.trace(model, two), str(folder / SCRIPT))


def without_graphs(folder: Path) -> Path:
    """The same with a serving.json that wants no CUDA graphs; a folder of its own."""
    made = folder / "plain"
    made.mkdir(exist_ok=True)
    for path in folder.glob("*.*"):
        if path.suffix in (".jpg", ".form") or path.name == EXPORTED:
            (made / path.name).unlink(missing_ok=True)
            (made / path.name).hardlink_to(path)
    (made / "serving.json").write_text(json.dumps({**MANIFEST, "cuda_graphs": []}))
    return made


def backbone() -> Any:
    """ResNet-50's layers (25.6 M parameters, 4.1 GFLOP), with random weights."""
    import torch
    from torch import nn

    class Bottleneck(nn.Module):  # type: ignore[misc]
        def __init__(self, before: int, width: int, stride: int) -> None:
            super().__init__()
            after = 4 * width
            self.body = nn.Sequential(
                *_conv(before, width, 1, 1), nn.ReLU(),
                *_conv(width, width, 3, stride), nn.ReLU(), *_conv(width, after, 1, 1),
            )  # fmt: skip
            same = before == after and stride == 1
            self.beside = nn.Identity() if same else nn.Sequential(*_conv(before, after, 1, stride))

        def forward(self, x: Any) -> Any:
            return torch.relu(self.body(x) + self.beside(x))

    torch.manual_seed(0)
    blocks, before = [], 64
    for width, count, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for index in range(count):
            blocks.append(Bottleneck(before, width, stride if index == 0 else 1))
            before = 4 * width
    stem = (*_conv(3, 64, 7, 2), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
    end = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, CLASSES))
    return nn.Sequential(*stem, *blocks, *end).eval()


def _conv(before: int, after: int, side: int, stride: int) -> tuple[Any, Any]:
    from torch import nn

    conv = nn.Conv2d(before, after, side, stride, side // 2, bias=False)
    return conv, nn.BatchNorm2d(after)


def request(folder: Path, file: str, device: str, precision: str = "auto") -> Any:
    """What loads it."""
    from picsellia_jupyter.domain.registry import InferenceType
    from picsellia_jupyter.serving.messages import LoadRequest

    kind, manifest = InferenceType.CLASSIFICATION, folder / "serving.json"
    return LoadRequest(folder / file, manifest, kind, CLASSES, device, precision)
