"""Named arrays as JSON and raw bytes: little-endian, C order, one after another."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError

DTYPES = (
    "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64",
    "float16", "float32", "float64",
)  # fmt: skip

Tensors = Mapping[str, NDArray[np.generic]]


def pack(tensors: Tensors) -> tuple[list[dict[str, Any]], bytes]:
    """Name, dtype and shape of every array, and their bytes."""
    told, parts = [], []
    for name, array in tensors.items():
        told.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape)})
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        parts.append(np.ascontiguousarray(little).tobytes())
    return told, b"".join(parts)


def unpack(told: Sequence[Mapping[str, Any]], data: bytes) -> dict[str, NDArray[np.generic]]:
    """Read what `pack` wrote; the arrays are read-only.

    Raises:
        InvalidInputError: it does not fit the bytes, or names a dtype that is no number.
    """
    tensors, at = {}, 0
    for one in told:
        try:
            name, dtype = str(one["name"]), np.dtype(DTYPES[DTYPES.index(one["dtype"])])
            shape = [_side(side) for side in one["shape"]]
        except (KeyError, TypeError, ValueError) as error:
            raise _misfit(f"A tensor is told of as {str(one)[:80]!r}") from error
        size = math.prod(shape) * dtype.itemsize
        if size > len(data) - at:
            raise _misfit(f"{name!r} takes {size} bytes; {len(data) - at} are left")
        flat = np.frombuffer(data, dtype.newbyteorder("<"), math.prod(shape), at)
        tensors[name] = flat.reshape(shape)
        at += size
    if at != len(data):
        raise _misfit(f"{len(data) - at} bytes belong to no tensor")
    return tensors


def _side(side: object) -> int:
    if isinstance(side, bool) or not isinstance(side, int) or side < 0:
        raise ValueError(side)
    return side


def _misfit(fact: str) -> InvalidInputError:
    return InvalidInputError(f"{fact}.", "Send name, dtype, shape and as many bytes as they take.")
