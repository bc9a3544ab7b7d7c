"""Predictions on a user's images: a sequence that shows itself as pictures."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from picsellia_jupyter.domain.errors import InvalidImageError, InvalidInputError
from picsellia_jupyter.domain.predictions import (
    FailedImage,
    PredictedImage,
    Prediction,
    considered,
)
from picsellia_jupyter.handles import choosing, conversions
from picsellia_jupyter.handles.comparing import Others
from picsellia_jupyter.handles.pages import PageView
from picsellia_jupyter.handles.prediction import ImagePrediction, checked_embed
from picsellia_jupyter.handles.results import Selection
from picsellia_jupyter.wire.coco import to_coco

if TYPE_CHECKING:
    from picsellia_jupyter.display.embedding import Embed

PAGE = 100
"""Images in one output; the others stay in the value."""
LISTED = 24
"""Images that are named in text."""
_GO_ON = "d.predict(found.undone) goes on with them"


class Predictions(Sequence[ImagePrediction]):
    """What a deployment found in some images, in their order.

    Everything the model found is kept, with raw scores; pictures and `considered` apply
    the deployment's threshold. Images that failed are in `failures`; the others went on.
    What was found in many images lies on disk and is read when it is asked for.
    """

    def __init__(
        self,
        items: Sequence[PredictedImage],
        failures: Sequence[FailedImage],
        *,
        labels: Mapping[int, str],
        threshold: float | None,
        undone: Sequence[str | Path] = (),
        others: Others | None = None,
    ) -> None:
        self._items = items
        self.failures = tuple(failures)
        self.labels = dict(labels)
        self.threshold = threshold
        self._others = others or Others()
        self.undone = tuple(map(str, undone))
        """Paths that an interrupt left out; `d.predict(found.undone)` goes on with them."""

    @overload
    def __getitem__(self, index: int) -> ImagePrediction: ...

    @overload
    def __getitem__(self, index: slice) -> Predictions: ...

    def __getitem__(self, index: int | slice) -> ImagePrediction | Predictions:
        if isinstance(index, slice):
            return self._chosen(range(len(self))[index])
        image = self._items[index]
        shadow, truth = self._others.of(image)
        return ImagePrediction(image, self.labels, self.threshold, shadow, truth)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[ImagePrediction]:
        for index in range(len(self)):
            yield self[index]

    def considered(self, index: int) -> Prediction:
        """What was found in one image, scored over the deployment's threshold."""
        return self[index].considered

    def filter(
        self,
        *,
        label: str | Sequence[str] | None = None,
        score: choosing.Score | None = None,
    ) -> Predictions:
        """The images in which such shapes were found, each with those shapes alone.

        Args:
            label: a label's name, or several.
            score: `0.5` for shapes scored over it, `(0.2, 0.5)` for those up to 0.5 as well.
                It takes the place of the deployment's threshold in what is returned.

        Returns:
            Their pictures, too, show these shapes alone. An image with a class of its own
            is kept whole where its first class is wanted.

        Raises:
            NotFoundError: no label has that name.
            InvalidInputError: the scores are no range within [0, 1].
        """
        wanted = choosing.filter_of(label, score, self.labels, self._classes)
        rows = [row for row, item in enumerate(self._items) if wanted.kept(item.found).any()]
        threshold = self.threshold if wanted.over is None else wanted.over
        return self._chosen(rows, wanted, threshold=threshold)

    def sorted(self, by: str = "confidence") -> Predictions:
        """The same images in another order.

        Args:
            by: `confidence` (those with the least sure of the considered shapes first) or
                `objects` (those with the most considered shapes first).

        Raises:
            NotFoundError: there is no such order.
        """
        return self._chosen(choosing.order_of(self._items, by, self.threshold))

    def compared(
        self,
        *,
        shadow: Predictions | Mapping[str, Prediction] | None = None,
        truth: Predictions | Mapping[str, Prediction] | None = None,
    ) -> Predictions:
        """The same images, whose pictures also show what others found in them.

        Args:
            shadow: another model's predictions on the same images, told by their paths.
            truth: what is really there; pictures then tell right shapes from wrong ones.

        A mapping goes from the path, or the name of the file, to the shapes.
        """
        return self._chosen(range(len(self)), others=self._others.with_(shadow, truth))

    @property
    def pages(self) -> int:
        """How many pages the grid has, of 100 images each."""
        return -(-len(self) // PAGE)

    def page(self, number: int) -> Predictions:
        """The images of one page of the grid, which shows 100 at a time; the first is 1.

        Raises:
            InvalidInputError: there is no such page.
        """
        if not 1 <= number <= self.pages:
            raise InvalidInputError(
                f"There is no page {number!r}.", f"Pages are numbered from 1 to {self.pages}."
            )
        return self[(number - 1) * PAGE : number * PAGE]

    def show(self, page: int = 1, *, embed: Embed = "thumb") -> None:
        """Show a page of the grid in the notebook, and below it how many bytes that adds.

        A live notebook whose server has our extension shows buttons that turn its pages in place.

        Args:
            page: which 100 images; the first page is 1.
            embed: `thumb` holds each photo at 320 pixels at most, `full` at 1280, `link`
                only its path: the picture is then gone when the file is.

        Raises:
            InvalidInputError: there is no such page.
        """
        from IPython.display import display

        self.page(page)
        display(PageView(self, page, checked_embed(embed)))  # type: ignore[no-untyped-call]

    def to_html(self, path: str | Path, page: int = 1, *, embed: Embed = "thumb") -> Path:
        """Write a page of the grid as an HTML file that needs nothing else.

        Args:
            path: of the file; its folder must exist.
            page: which 100 images; the first page is 1.
            embed: as for `show`.
        """
        from picsellia_jupyter.display import pages

        turn = PageView(self, page).turn
        html = self._grid(page, checked_embed(embed), turn=turn, beside=Path(path).parent)
        return pages.written(Path(path), html, title=f"Predictions on {len(self):,} images")

    def to_coco(self, path: str | Path | None = None) -> dict[str, Any]:
        """All shapes as a COCO data set, with raw scores; ids count from 1.

        Its `annotations` are also what `COCO.loadRes` takes as results. A category's id is the
        class index plus 1.

        Args:
            path: a file that it is written to as JSON as well.

        Raises:
            InvalidInputError: lines, or classes of whole images, for which COCO has no form.
        """
        coco = to_coco(self._items, self.labels)
        if path is not None:
            Path(path).write_text(json.dumps(coco), encoding="utf-8")
        return coco

    def to_pandas(self) -> Any:
        """A data frame with one row a shape, of all shapes, with raw scores.

        Raises:
            MissingPackageError: pandas is not installed.
        """
        return conversions.to_pandas(self._items, self.labels, self.threshold)

    def __repr__(self) -> str:
        counts = [
            f"{Path(item.source).name}: {len(considered(item.found, threshold=self.threshold))}"
            for item in self._items[:LISTED]
        ]
        more = [f"… {len(self) - LISTED} more"] if len(self) > LISTED else []
        failed = [f"{f.source}: {f.reason}" for f in self.failures[:LISTED]]
        if len(self.failures) > LISTED:
            failed.append(f"… {len(self.failures) - LISTED} more failed")
        head = f"{len(self)} images predicted, {len(self.failures)} failed; objects found:"
        return "\n  ".join([head, *counts, *more, *failed, *self._left()])

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        if len(self) == 1 and not self.failures and not self.undone:
            with contextlib.suppress(InvalidImageError):
                return {"text/html": self[0].html(), "text/plain": repr(self)}
        return {"text/html": PageView(self).html(), "text/plain": repr(self)}

    def _grid(self, page: int, embed: Embed, *, turn: str = "", beside: Path | None = None) -> str:
        from picsellia_jupyter.display import grid

        shown = self.page(page) if len(self) else self
        hints = [turn] * bool(turn) + [f"{_GO_ON}."] * bool(self.undone)
        place = grid.Page(
            (page - 1) * PAGE + 1, len(self), hint=" ".join(hints), undone=len(self.undone)
        )
        return grid.grid_html(
            [item.shown(beside) for item in shown],
            self.failures,
            self.labels,
            self.threshold,
            page=place,
            embed=embed,
        )

    def _chosen(
        self,
        rows: Sequence[int],
        change: choosing.Filter | None = None,
        *,
        threshold: float | None = None,
        others: Others | None = None,
    ) -> Predictions:
        return Predictions(
            Selection(self._items, rows, change),
            (),
            labels=self.labels,
            threshold=self.threshold if change is None else threshold,
            others=others or self._others,
        )

    def _classes(self) -> frozenset[int]:
        """The class indices that occur."""
        return frozenset(index for item in self._items for index in item.found.classes.tolist())

    def _left(self) -> list[str]:
        if not self.undone:
            return []
        left = f"interrupted: {len(self.undone):,} images are not predicted on"
        return [f"{left}; {_GO_ON}"]
