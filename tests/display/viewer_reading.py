"""What the viewer's script would read, in Python: the other end of the encoding."""

from __future__ import annotations

import base64
import io
import json
import re

import numpy as np
from PIL import Image

from picsellia_jupyter.display.shapes import SCORE_STEPS

TYPES = {"1": np.dtype("<u1"), "2": np.dtype("<u2"), "4": np.dtype("<u4")}


def payload_of(page: str) -> dict:
    """The JSON that a page gives to its script."""
    found = re.search(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    return json.loads(found.group(1))


def photo_of(page: str) -> Image.Image:
    """The picture that the script draws on."""
    return Image.open(io.BytesIO(base64.b64decode(payload_of(page)["photo"].split(",")[1])))


class Block:
    """Columns of a block, read one after the other."""

    def __init__(self, encoded: dict) -> None:
        self._bytes, self._types = base64.b64decode(encoded["data"]), list(encoded["types"])

    def read(self, count: int) -> np.ndarray:
        kind = TYPES[self._types.pop(0)]
        size = count * kind.itemsize
        values, self._bytes = np.frombuffer(self._bytes[:size], kind), self._bytes[size:]
        return values

    def at_end(self) -> bool:
        return not self._bytes and not self._types


def decoded(encoded: dict) -> dict:
    """Scores, ranks, counts, visibilities and points (P, 2) of a layer."""
    block, n, form = Block(encoded), encoded["n"], encoded["form"]
    layer = {"scores": block.read(n) / SCORE_STEPS, "ranks": block.read(n)}
    if "step" in encoded:
        each = {"box": 2, "point": 1}.get(form)
        layer["counts"] = np.full(n, each) if each else block.read(n)
        total = int(layer["counts"].sum())
        layer["seen"] = block.read(total) if form == "keypoints" else None
        steps = np.column_stack([block.read(total), block.read(total)])
        layer["points"] = encoded["low"] + steps * encoded["step"]
    if "masks" in encoded:
        layer["masks"] = (
            encoded["masks"].replace("!", "<").replace("#", "\\").replace("$", ">").split(" ")
        )
    assert block.at_end()
    return layer
