"""What a deployment found in one image, in a user's hand."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, UnidentifiedImageError

from picsellia_jupyter.domain.errors import InvalidImageError, InvalidInputError
from picsellia_jupyter.domain.predictions import (
    ImageSize,
    PredictedImage,
    Prediction,
    considered,
)
from picsellia_jupyter.handles import conversions, images
from picsellia_jupyter.wire.records import image_to_record

if TYPE_CHECKING:
    from picsellia_jupyter.display.embedding import Embed, Shown

EMBEDS: tuple[Embed, ...] = ("thumb", "full", "link")
"""How a picture holds its photo: small, at the size it is shown, or by its path alone."""


@dataclass(frozen=True, slots=True, eq=False)
class ImagePrediction:
    """What a deployment found in one image: an item of `Predictions`.

    Shows itself as the photo with the shapes over the threshold. Everything else about it
    has all shapes, with raw scores.
    """

    image: PredictedImage
    """The value itself."""
    labels: Mapping[int, str] = field(default_factory=dict)
    """Class index to label name."""
    threshold: float | None = None
    """The deployment's when it predicted; None for classification."""
    shadow: Prediction | None = None
    """What another model found, for comparison."""
    truth: Prediction | None = None
    """What is really there, for comparison."""

    @property
    def source(self) -> str:
        """The path of the image."""
        return self.image.source

    @property
    def size(self) -> ImageSize:
        """Of the upright photo."""
        return self.image.size

    @property
    def found(self) -> Prediction:
        """All shapes, with raw scores."""
        return self.image.found

    @property
    def considered(self) -> Prediction:
        """The shapes scored over the threshold."""
        return considered(self.found, threshold=self.threshold)

    @property
    def latency_s(self) -> float:
        """Seconds the model took, decoding included."""
        return self.image.latency_s

    @property
    def prediction_id(self) -> str | None:
        """The platform's id of the recorded prediction; None where it was not monitored."""
        return self.image.prediction_id

    def __len__(self) -> int:
        return len(self.found)

    def show(self, *, embed: Embed = "full") -> None:
        """Show it in the notebook, and below it how many bytes that adds.

        Args:
            embed: `full` holds the photo at 1280 pixels at most, `thumb` at 320, `link`
                only its path: the picture is then gone when the file is.

        Raises:
            InvalidImageError: its file is gone or is no image any more.
        """
        from IPython.display import display

        html = self.html(checked_embed(embed))
        display({"text/html": html, "text/plain": repr(self)}, raw=True)  # type: ignore[no-untyped-call]

    def to_html(self, path: str | Path, *, embed: Embed = "full") -> Path:
        """Write it as one page that needs nothing else, and works without a kernel.

        Args:
            path: of the page; its folder must exist.
            embed: as for `show`.
        """
        from picsellia_jupyter.display import pages

        html = self.html(checked_embed(embed), beside=Path(path).parent)
        return pages.written(Path(path), html, title=Path(self.source).name)

    def to_png(self, path: str | Path) -> Path:
        """Write the photo at its own size with the considered shapes drawn in.

        Nothing of the photo's EXIF goes with it.

        Raises:
            InvalidImageError: its file is gone or is no image any more.
        """
        from picsellia_jupyter.display import overlay

        side = max(self.size.width, self.size.height)
        try:
            with Image.open(io.BytesIO(images.read(Path(self.source)))) as photo:
                drawn = overlay.draw(
                    photo, self.found, self.labels, threshold=self.threshold, max_side=side
                )
        except (UnidentifiedImageError, OSError, Image.DecompressionBombError) as error:
            raise InvalidImageError(
                f"{self.source} cannot be drawn: {error}.", "Check that the file is still there."
            ) from error
        Path(path).write_bytes(overlay.png(drawn))
        return Path(path)

    def to_dict(self) -> dict[str, Any]:
        """The image and all its shapes as plain JSON, with raw scores."""
        return image_to_record(self.image, self.labels, self.threshold)

    def to_supervision(self) -> Any:
        """All shapes as `supervision.Detections` (or `KeyPoints`, `Classifications`).

        Raises:
            MissingPackageError: supervision is not installed.
            InvalidInputError: lines, for which supervision has no form.
        """
        return conversions.to_supervision(self.image, self.labels)

    def __repr__(self) -> str:
        from picsellia_jupyter.display import captions

        return captions.caption_text(self.image, self.labels, self.threshold)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        try:
            return {"text/html": self.html(), "text/plain": repr(self)}
        except InvalidImageError as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def shown(self, beside: Path | None = None) -> Shown:
        """What pictures are made of.

        Args:
            beside: the folder of a page that only links the photo; the working directory
                without one.
        """
        from picsellia_jupyter.display.embedding import Shown

        path = Path(self.source)
        address = images.address(path, beside or Path.cwd())
        return Shown(
            self.image, functools.partial(images.read, path), self.shadow, self.truth, address
        )

    def html(self, embed: Embed = "full", *, beside: Path | None = None) -> str:
        """It as `show` shows it.

        Raises:
            InvalidImageError: its file is gone or is no image any more.
        """
        from picsellia_jupyter.display import pictures

        return pictures.predicted_image_html(
            self.shown(beside), self.labels, self.threshold, embed=embed
        )


def checked_embed(embed: str) -> Embed:
    """The mode of that name.

    Raises:
        InvalidInputError: there is none.
    """
    for known in EMBEDS:
        if embed == known:
            return known
    raise InvalidInputError(
        f"embed is {embed!r}, which is no way to hold a photo.",
        f"Known: {', '.join(map(repr, EMBEDS))}.",
    )
