"""What others found in the same images."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from picsellia_jupyter.domain.predictions import PredictedImage, Prediction
from picsellia_jupyter.handles.prediction import ImagePrediction

Shapes = Mapping[str, Prediction]
"""What is in an image, by its path or the name of its file."""


@dataclass(frozen=True, slots=True, eq=False)
class Others:
    """What a shadow found in images, and what is really there."""

    shadow: Shapes = field(default_factory=dict)
    truth: Shapes = field(default_factory=dict)

    def of(self, image: PredictedImage) -> tuple[Prediction | None, Prediction | None]:
        """Those of one image, where they are known."""
        return _looked_up(self.shadow, image), _looked_up(self.truth, image)

    def with_(
        self,
        shadow: Sequence[ImagePrediction] | Shapes | None,
        truth: Sequence[ImagePrediction] | Shapes | None,
    ) -> Others:
        """The same with new ones where they are given."""
        return Others(
            self.shadow if shadow is None else _by_path(shadow),
            self.truth if truth is None else _by_path(truth),
        )


class _ByPath(Mapping[str, Prediction]):
    """Predictions by the paths of their images; each is read when it is asked for."""

    def __init__(self, predictions: Sequence[ImagePrediction]) -> None:
        self._predictions = predictions
        self._rows = {item.source: row for row, item in enumerate(predictions)}

    def __getitem__(self, path: str) -> Prediction:
        return self._predictions[self._rows[path]].found

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def _by_path(shapes: Sequence[ImagePrediction] | Shapes) -> Shapes:
    return shapes if isinstance(shapes, Mapping) else _ByPath(shapes)


def _looked_up(shapes: Shapes, image: PredictedImage) -> Prediction | None:
    found = shapes.get(image.source)
    return shapes.get(PurePath(image.source).name) if found is None else found
