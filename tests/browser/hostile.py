"""Outputs in which every text that somebody else wrote tries to be HTML."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from picsellia_jupyter.display import cards
from picsellia_jupyter.display.viewer import Layer
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    FailedImage,
    ImageSize,
    PredictedImage,
)
from picsellia_jupyter.handles.predictions import Predictions
from tests.browser.payloads import PAYLOADS
from tests.display.one_image import viewer_html
from tests.display.test_cards import LINE, RECORD

SIZE = ImageSize(64, 48)
LABELS = dict(enumerate(PAYLOADS))
EXIF_TEXTS = (0x010E, 0x010F, 0x0110, 0x0131, 0x013B, 0x8298)
"""Description, make, model, software, artist, copyright."""


def outputs(folder: str | Path) -> Iterator[str]:
    """HTML of a grid, of single images with layers, and of cards."""
    Path(folder).mkdir(exist_ok=True)
    yield grid(Path(folder))
    yield "".join(map(single, range(0, len(PAYLOADS), 3)))
    yield "".join(map(card, PAYLOADS))


def grid(folder: Path) -> str:
    """Sixty images with such names, labels and EXIF, and as many that failed."""
    items = [PredictedImage(str(_photo(folder, n)), SIZE, _found(n), 0.01) for n in range(60)]
    failures = [FailedImage(payload, payload) for payload in PAYLOADS]
    found = Predictions(items, failures, labels=LABELS, threshold=0.3)
    return found._repr_mimebundle_()["text/html"]


def single(first: int) -> str:
    """An image whose layers are called after models; every other one is classified."""
    one, two, three = PAYLOADS[first : first + 3]
    kind = Classification if first % 2 else Detections
    shapes = {} if first % 2 else {"boxes_xyxy": _found(0).boxes_xyxy}
    found = kind(np.array([first]), np.array([0.9], np.float32), **shapes)
    layers = [
        Layer(one, "champion", found),
        Layer(two, "shadow", found),
        Layer(three, "truth", found),
    ]
    return viewer_html(_encoded(first), layers, LABELS, threshold=0.3, name=one)


def card(payload: str) -> str:
    """The card of a deployment in which everything is called so."""
    record = dataclasses.replace(
        RECORD, name=payload, model_title=payload, datalake_name=payload, reason=payload
    )
    return cards.deployment_card(record, None, LINE, None)


def _found(number: int) -> Detections:
    box = np.array([[8, 8, 40, 40]], np.float32)
    return Detections(np.array([number]), np.array([0.9], np.float32), box)


def _encoded(number: int) -> bytes:
    exif = Image.Exif()
    for tag in EXIF_TEXTS:
        exif[tag] = PAYLOADS[number]
    stream = io.BytesIO()
    Image.new("RGB", (SIZE.width, SIZE.height), (200, 60, 200)).save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def _photo(folder: Path, number: int) -> Path:
    # A name may hold every sign but this one.
    path = folder / (PAYLOADS[number].replace("/", "\u2215")[:200] + ".jpg")
    path.write_bytes(_encoded(number))
    return path
