"""Images that a deployment has recorded, found by when they were predicted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from picsellia_jupyter.domain.predictions import PredictedImage, considered
from picsellia_jupyter.handles.recorded import RecordedPrediction

LISTED = 24
"""Images that are named in text."""


@dataclass(frozen=True, slots=True, eq=False)
class RecordedImages(Sequence[RecordedPrediction]):
    """Recorded predictions, newest first; they show themselves as a grid.

    Photos stay on the platform until they are shown.
    """

    images: tuple[PredictedImage, ...]
    """Everything that was found, with raw scores."""
    photos: tuple[Callable[[], bytes], ...]
    """Give the encoded image of each."""
    total: int
    """Of the range that was asked for; these are the newest ones."""
    labels: Mapping[int, str]
    threshold: float | None

    @overload
    def __getitem__(self, index: int) -> RecordedPrediction: ...

    @overload
    def __getitem__(self, index: slice) -> RecordedImages: ...

    def __getitem__(self, index: int | slice) -> RecordedPrediction | RecordedImages:
        if isinstance(index, slice):
            return RecordedImages(
                self.images[index], self.photos[index], self.total, self.labels, self.threshold
            )
        photo = self.photos[index]()
        return RecordedPrediction(self.images[index], photo, self.labels, self.threshold)

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        found = [
            f"{image.source}: {len(considered(image.found, threshold=self.threshold))}"
            for image in self.images[:LISTED]
        ]
        head = f"{len(self):,} of {self.total:,} recorded images; objects found:"
        return "\n  ".join([head, *found])

    def html(self) -> str:
        """A grid of them."""
        from picsellia_jupyter.display import embedding, grid

        shown = [
            embedding.Shown(image, read)
            for image, read in zip(self.images, self.photos, strict=True)
        ]
        left = self.total - len(self)
        hint = f"{left:,} older ones are not shown: ask for a shorter range." if left > 0 else ""
        place = grid.Page(1, self.total, hint=hint)
        return grid.grid_html(shown, (), self.labels, self.threshold, page=place)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        return {"text/html": self.html(), "text/plain": repr(self)}
