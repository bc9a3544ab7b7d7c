"""A prediction with everything that is recorded beside it, and how it is kept on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage
from picsellia_jupyter.recording import shapes


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """A prediction with everything that is recorded beside it."""

    predicted: PredictedImage
    """What was found; its `prediction_id` makes sending it twice safe."""
    image: bytes
    """The encoded image."""
    content_type: str
    """`image/jpeg` or `image/png`."""
    at: float
    """When it was predicted, seconds since the epoch, UTC."""
    tags: tuple[str, ...] = ()
    source: str | None = None
    """Name of the data source."""
    metadata: Mapping[str, Any] | None = None
    """Of the image, by the platform's own keys."""
    custom_metadata: Mapping[str, Any] | None = None
    """Of the image, the user's own."""
    stored_as: str | None = None
    """Its object name, where it is in the target datalake already; it is not sent again then."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """A record as it is kept."""

    id: str
    """The prediction's own, made by the front."""
    said: str
    """Everything but shapes and image: JSON, ASCII alone."""
    found: bytes
    """The shapes, with all their digits: JSON."""
    image: bytes

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.said) + len(self.found) + len(self.image)


def spell(record: Record) -> Spelling:
    """Write a record down.

    Raises:
        ValueError: the prediction has no id.
    """
    predicted = record.predicted
    if predicted.prediction_id is None:
        raise ValueError("a prediction without an id cannot be recorded once")
    said = {
        "name": predicted.source,
        "width": predicted.size.width,
        "height": predicted.size.height,
        "latency": predicted.latency_s,
        "content_type": record.content_type,
        "at": record.at,
        "tags": record.tags,
        "source": record.source,
        "metadata": record.metadata,
        "custom_metadata": record.custom_metadata,
        "stored_as": record.stored_as,
        "model_version": predicted.model_version_id,
    }
    found = orjson.dumps(shapes.to_json(predicted.found), option=orjson.OPT_SERIALIZE_NUMPY)
    # The standard library's JSON: users' texts and numbers may be what orjson does not spell.
    return Spelling(predicted.prediction_id, json.dumps(said), found, record.image)


def when(said: str) -> float | None:
    """When a prediction was made, of a `Spelling.said`; None where it does not say."""
    try:
        return float(json.loads(said)["at"])
    except (ValueError, KeyError, TypeError):
        return None


def read(spelling: Spelling) -> Record:
    """Read what `spell` wrote.

    Raises:
        ValueError, KeyError, TypeError, InvalidPredictionError: it is none.
    """
    said = json.loads(spelling.said)
    size = ImageSize(said["width"], said["height"])
    found = shapes.from_json(orjson.loads(spelling.found), size)
    # Spools of before it was noted have none.
    version = said.get("model_version") or ""
    return Record(
        PredictedImage(said["name"], size, found, said["latency"], spelling.id, version),
        spelling.image,
        said["content_type"],
        said["at"],
        tuple(said["tags"]),
        said["source"],
        said["metadata"],
        said["custom_metadata"],
        said["stored_as"],
    )
