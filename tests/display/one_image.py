"""An image with any layers, shown as a predicted one is."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from picsellia_jupyter.display.embedding import Shown
from picsellia_jupyter.display.pictures import predicted_image_html
from picsellia_jupyter.display.viewer import Layer
from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage


@dataclass(frozen=True, eq=False)
class Given(Shown):
    """What is shown, its layers given as they are."""

    given: Sequence[Layer] = ()

    def layers(self) -> list[Layer]:
        """Those that were given."""
        return list(self.given)


def viewer_html(
    photo: bytes,
    layers: Sequence[Layer],
    labels: Mapping[int, str],
    *,
    threshold: float | None,
    name: str = "street.jpg",
) -> str:
    """The output of one image."""
    image = PredictedImage(name, _size(photo), layers[0].found, 0.01)
    shown = Given(image, functools.partial(bytes, photo), given=layers)
    return predicted_image_html(shown, labels, threshold)


def _size(photo: bytes) -> ImageSize:
    try:
        with Image.open(io.BytesIO(photo)) as opened:
            return ImageSize(*ImageOps.exif_transpose(opened).size)
    except UnidentifiedImageError:
        return ImageSize(1, 1)
