"""Pages as other cameras would take them; what is written on them stays where it was."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps


def well_kept(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    """The usual camera: a little brighter or darker each time."""
    return ImageEnhance.Brightness(page).enhance(float(rng.uniform(0.94, 1.06)))


def shifted(page: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A camera out of focus, of which every third picture is a negative."""
    blurred = page.filter(ImageFilter.GaussianBlur(float(rng.uniform(1.4, 2.6))))
    return ImageOps.invert(blurred) if rng.random() < 1 / 3 else blurred


def taken(
    pages: Sequence[Path], folder: Path, *, is_shifted: bool, seed: int = 0
) -> tuple[Path, ...]:
    """Take every page once more.

    Args:
        pages: RGB pictures.
        folder: where the new pictures are written, under the same names.
        is_shifted: by the camera that has moved.
        seed: the same seed gives the same pictures.
    """
    rng = np.random.default_rng((seed, is_shifted))
    folder.mkdir(parents=True, exist_ok=True)
    camera = shifted if is_shifted else well_kept
    paths = []
    for path in pages:
        with Image.open(path) as page:
            camera(page.convert("RGB"), rng).save(folder / path.name, quality=90)
        paths.append(folder / path.name)
    return tuple(paths)


def slate(page: Image.Image) -> Image.Image:
    """The same writing in chalk on slate: light on dark."""
    return ImageOps.invert(page.convert("RGB"))
