"""Model files that break off or have a wrong byte, and what a worker says of each.

`FILES`: name to a function that gives the bytes, and the reason.
"""

from __future__ import annotations

import functools
import io
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.serving import models


@functools.cache
def onnx() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return models.onnx_detector(Path(folder) / "m").read_bytes()


@functools.cache
def safetensors() -> bytes:
    import torch
    from safetensors.torch import save

    return save({"weight": torch.zeros(8, 8), "bias": torch.zeros(8)})


@functools.cache
def state_dict() -> bytes:
    import torch

    out = io.BytesIO()
    torch.save(torch.nn.Linear(8, 8).state_dict(), out)
    return out.getvalue()


WHOLE: dict[str, tuple[Callable[[], bytes], str]] = {
    "ONNX": (onnx, "of no known model format"),
    "safetensors": (safetensors, "bytes of tensors where the header tells of"),
    "state dict": (state_dict, "a broken zip archive"),
    "TorchScript": (models.torchscript_bytes, "a broken zip archive"),
    ".pt2": (models.exported_bytes, "a broken zip archive"),
}


def cut(whole: Callable[[], bytes], share: float) -> bytes:
    content = whole()
    return content[: int(len(content) * share)]


def flipped(whole: Callable[[], bytes], member: str) -> bytes:
    """One bit of a member is another one."""
    content = bytearray(whole())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        info = next(one for one in archive.infolist() if one.filename.endswith(member))
    at = info.header_offset + 26
    lengths = [int.from_bytes(content[k : k + 2], "little") for k in (at, at + 2)]
    content[at + 4 + sum(lengths) + info.compress_size // 2] ^= 1
    return bytes(content)


FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    f"{kind}, {share:.0%} of it": (functools.partial(cut, whole, share), reason)
    for kind, (whole, reason) in WHOLE.items()
    for share in (0.5, 0.9, 0.99)
}
FILES |= {
    "safetensors, its header alone": (
        lambda: safetensors()[: 8 + int.from_bytes(safetensors()[:8], "little")],
        "0 bytes of tensors where the header tells of",
    ),
    "TorchScript, a bit flipped in its tensors": (
        functools.partial(flipped, models.torchscript_bytes, "data/0"),
        "a broken zip archive",
    ),
    "TorchScript, a bit flipped in its code": (
        functools.partial(flipped, models.torchscript_bytes, ".py"),
        "a broken zip archive",
    ),
    ".pt2, a bit flipped in its tensors": (
        functools.partial(flipped, models.exported_bytes, "weights/weight_0"),
        "a broken zip archive",
    ),
}
QUICK = (
    *(f"{kind}, 90% of it" for kind in WHOLE), "TorchScript, a bit flipped in its tensors",
    "safetensors, its header alone",
)  # fmt: skip
