"""YOLOX: (1, A, 5 + C), centre, sides, objectness and class scores of every grid cell.

Exports with `--decode_in_inference` give pixels of the input; the others give the centre as an
offset from the cell in strides, and the sides as logarithms of strides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import Detections, ImageSize
from picsellia_jupyter.serving.heads.reading import take
from picsellia_jupyter.serving.heads.selection import choose
from picsellia_jupyter.serving.heads.yolo import yolo5
from picsellia_jupyter.serving.manifest import Manifest
from picsellia_jupyter.serving.pixels import Placement
from picsellia_jupyter.serving.signature import Outputs

_STRIDES = ((8, 16, 32), (8, 16, 32, 64))


class YoloxHead:
    """Score floor, class-aware non-maximum suppression, then pixels of the photo."""

    def __init__(self, manifest: Manifest, *, decoded: bool) -> None:
        self._manifest = manifest
        self._decoded = decoded

    def __call__(self, outputs: Outputs, placement: Placement) -> Detections:
        """Read the output of one image.

        Raises:
            InvalidPredictionError: it has another shape.
        """
        wanted = self._manifest
        rows = take(outputs, "predictions", at=0, shape="A, 5 + C")
        if not self._decoded:
            rows = decode(rows, placement.input)
        found = yolo5(rows, 0, wanted.score_floor)
        return choose(found.found, found.boxes_xyxy, wanted, placement).detections()


def decode(rows: NDArray[np.float32], size: ImageSize) -> NDArray[np.float32]:
    """Offsets and logarithms of grid cells (A, 5 + C) as pixels of an input of this size.

    Raises:
        InvalidPredictionError: A is not the number of cells of that input's grids.
    """
    grids = [_cells(size, strides) for strides in _STRIDES]
    cells = next((cells for cells in grids if len(cells) == len(rows)), None)
    if cells is None:
        raise InvalidPredictionError(
            f"The model gives {len(rows)} boxes, an input of {size.width} x {size.height} has "
            f"{' or '.join(str(len(cells)) for cells in grids)} cells.",
            "Correct input.width and input.height in serving.json.",
        )
    corners, strides = cells[:, :2], cells[:, 2:]
    centres = (rows[:, :2] + corners) * strides
    sides = np.exp(np.minimum(rows[:, 2:4], 20)) * strides
    return np.concatenate([centres, sides, rows[:, 4:]], axis=1)


def _cells(size: ImageSize, strides: tuple[int, ...]) -> NDArray[np.float32]:
    """(A, 3) column, row and stride of every cell of all grids, a row after the other."""
    parts = []
    for stride in strides:
        rows, columns = np.mgrid[: size.height // stride, : size.width // stride]
        flat = [columns.ravel(), rows.ravel(), np.full(rows.size, stride)]
        parts.append(np.column_stack(flat))
    return np.concatenate(parts).astype(np.float32)
