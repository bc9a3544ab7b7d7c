"""Bilinear resizing by torch where its pixels are surely those of Pillow.

Both weigh the pixels under a triangle and round to whole levels after each axis, but torch
keeps weights of 15 bits, Pillow of 22. Which of them a photo meets must not be seen in its
predictions, so torch is asked only where the coarser weights cannot round differently.
"""

from __future__ import annotations

import functools
import logging
import math
import sys
import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_BITS = 14
"""Of a weight, at least; torch takes as many as fit into 16 with its sign and the largest one."""
_LONGEST_PERIOD = 16
_MOST_TAPS = 64

_log = logging.getLogger(__name__)


class Torch:
    """Whether torch is at hand for resizing; loaded beside the work where that pays.

    Where torch runs the model it is there. Otherwise importing it takes a second and some
    150 MB, which a few photos do not earn; many do, since resizing is a fifth of the work that a
    small model makes. Thread-safe.
    """

    def __init__(self, *, after: int = 500) -> None:
        """Make it.

        Args:
            after: so many photos that it could have resized, and it is imported in a thread.
        """
        self._left = after
        self._lock = threading.Lock()

    def can_resize(self, before: tuple[int, int], after: tuple[int, int]) -> bool:
        """Whether it can resize a photo now, to the very pixels that Pillow makes.

        Args:
            before: width and height.
            after: likewise.
        """
        if not all(map(rounds_alike, before, after)):
            return False
        return is_loaded() or self._wanted()

    def _wanted(self) -> bool:
        with self._lock:
            self._left -= 1
            if self._left == 0:
                threading.Thread(target=_load, name="import torch", daemon=True).start()
        return False


def is_loaded() -> bool:
    """Whether torch is imported, and not just being imported by another thread."""
    torch = sys.modules.get("torch")
    spec = getattr(torch, "__spec__", None)
    return torch is not None and not getattr(spec, "_initializing", False)


def _load() -> None:
    try:
        import torch

        torch.set_num_threads(1)
    except Exception as error:  # noqa: BLE001 - it is not installed, broken, or not permitted here
        _log.info("Photos are resized without torch: %s", error)


def resize(pixels: NDArray[np.uint8], after: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize (H, W, C) to a width and height."""
    import torch
    from torch.nn.functional import interpolate

    width, height = after
    given = torch.from_numpy(pixels).permute(2, 0, 1)[None]
    made = interpolate(given, (height, width), mode="bilinear", antialias=True)
    return np.asarray(made[0].permute(1, 2, 0).numpy())


@functools.lru_cache(maxsize=256)
def rounds_alike(before: int, after: int) -> bool:
    """Whether coarse weights surely give the same levels as exact ones, along one axis.

    A level is a sum of weights times levels of 0 to 255: a multiple of 1/D, where D is the
    weights' common denominator. It is rounded alike where the weights are exact (D a power of
    two), or where no multiple of 1/D comes as close to a half as the weights' errors reach.
    """
    if before == after:
        return True
    if after // math.gcd(before, after) > _LONGEST_PERIOD or 2 * before > _MOST_TAPS * after:
        return False
    return all(_rounds_alike(taps) for taps in set(_weights(before, after)))


def _rounds_alike(taps: tuple[int, ...]) -> bool:
    common = sum(taps) // math.gcd(*taps)
    if common & (common - 1) == 0:
        return common <= 1 << _BITS
    error = 255 * len(taps) * 0.5 / (1 << _BITS)
    return common % 2 == 1 and 1 / (2 * common) > error


def _weights(before: int, after: int) -> Iterator[tuple[int, ...]]:
    """Weights of each output pixel as whole numbers; their sum is the denominator.

    Lengths are in parts of 1 / (2 * after) of an input pixel, in which all of them are whole.
    """
    unit, reach = 2 * after, 2 * max(before, after)
    for index in range(after):
        centre = (2 * index + 1) * before
        first = max(0, (centre - reach + after) // unit)
        last = min(before, (centre + reach + after) // unit)
        taps = (reach - abs(x * unit + after - centre) for x in range(first, last))
        yield tuple(tap for tap in taps if tap > 0)
