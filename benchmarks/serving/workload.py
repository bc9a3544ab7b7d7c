"""The model and the photos that every server gets, made on the spot."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.serving.messages import LoadRequest

SIDE = 320
PHOTOS = 32
CLASSES = 20
MANIFEST = {
    "format": 1,
    "input": {"width": SIDE, "height": SIDE, "resize": "stretch", "channels": "RGB"},
    "head": "boxes_scores",
    "score_floor": 0.3,
    "max_objects": 20,
}
BOUNDARY = "benchmark-of-serving"


def make(folder: Path, *, program: bool = False) -> Path:
    """Write photos, requests, the model as ONNX and, if asked for, as an exported program."""
    for number in range(PHOTOS):
        encoded = photo(number)
        (folder / f"{number}.jpg").write_bytes(encoded)
        (folder / f"{number}.form").write_bytes(form(encoded))
        (folder / f"{number}.unmonitored").write_bytes(form(encoded, monitor=False))
    (folder / "serving.json").write_text(json.dumps(MANIFEST))
    _export(folder, program=program)
    return folder


def photos(folder: Path) -> list[bytes]:
    """The encoded photos."""
    return [(folder / f"{number}.jpg").read_bytes() for number in range(PHOTOS)]


def request(folder: Path, name: str = "model.onnx") -> LoadRequest:
    """What loads the model."""
    manifest = folder / "serving.json"
    return LoadRequest(folder / name, manifest, InferenceType.OBJECT_DETECTION, labels=CLASSES)


def form(photo: bytes, *, monitor: bool = True) -> bytes:
    """The body of a predict request, in the form that the Picsellia SDK sends."""
    fields = "".join(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("monitor", monitor), ("postprocess", False))
    )
    head = (
        f"{fields}--{BOUNDARY}\r\n"
        'Content-Disposition: form-data; name="media"; filename="photo.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    return head.encode() + photo + f"\r\n--{BOUNDARY}--\r\n".encode()


def photo(number: int) -> bytes:
    """About 70 kB: coarse shapes under fine noise."""
    rng = np.random.default_rng(number)
    coarse = rng.integers(0, 256, (16, 21, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((640, 480), Image.Resampling.BICUBIC))
    noisy = np.clip(smooth + rng.normal(0, 7, (480, 640, 3)), 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(noisy).save(out, "JPEG", quality=82)
    return out.getvalue()


def _export(folder: Path, *, program: bool) -> None:
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = _detector().eval()
    images = torch.zeros(1, 3, SIDE, SIDE)
    torch.onnx.export(
        model,
        (images,),
        str(folder / "model.onnx"),
        input_names=["images"],
        output_names=["boxes", "scores"],
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    if program:
        torch.export.save(torch.export.export(model, (images,)), str(folder / "model.pt2"))


def _detector() -> Any:
    """Convolutions with batch normalisation, and a box with 20 class scores a cell of 20 x 20."""
    import torch
    from torch import nn

    widths = [(3, 16, 2), (16, 32, 2), (32, 64, 2), (64, 64, 1), (64, 128, 2), (128, 112, 1)]
    layers: list[Any] = []
    for before, after, stride in widths:
        conv = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        layers += [conv, nn.BatchNorm2d(after), nn.ReLU()]
    layers += [nn.Conv2d(112, 112, 1), nn.ReLU(), nn.Conv2d(112, 4 + CLASSES, 1)]

    class Detector(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(*layers)
            steps = torch.arange(20) * 16.0 + 8
            rows, columns = torch.meshgrid(steps, steps, indexing="ij")
            self.centres = nn.Buffer(torch.stack([columns, rows], -1).reshape(1, 400, 2))

        def forward(self, images: Any) -> tuple[Any, Any]:
            cells = self.layers(images).flatten(2).transpose(1, 2)
            half = 8 + 24 * cells[..., :2].sigmoid()
            boxes = torch.cat([self.centres - half, self.centres + half], -1)
            # Random weights are undecided; a trained model is sure of a few boxes.
            sure = cells[..., 4:] - cells[..., 4:].mean()
            return boxes, (12 * sure / sure.abs().max() - 9).sigmoid()

    return Detector()
