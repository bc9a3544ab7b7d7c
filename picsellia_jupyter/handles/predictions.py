"""Predictions on a user's images: a sequence that shows itself as pictures."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

from picsellia_jupyter.domain.errors import (
    InvalidImageError,
    NotServingError,
    PicselliaJupyterError,
)
from picsellia_jupyter.domain.ports import Predictor
from picsellia_jupyter.domain.predictions import (
    FailedImage,
    PredictedImage,
    Prediction,
    considered,
)
from picsellia_jupyter.handles import images

SHOWN = 24
"""Images in a grid; the others stay in the value."""


class Predictions(Sequence[PredictedImage]):
    """What a deployment found in some images, in their order.

    Everything the model found is kept, with raw scores; pictures and `considered` apply
    the deployment's threshold. Images that failed are in `failures`; the others went on.
    """

    def __init__(
        self,
        items: Sequence[PredictedImage],
        failures: Sequence[FailedImage],
        *,
        labels: Mapping[int, str],
        threshold: float | None,
    ) -> None:
        self._items = tuple(items)
        self.failures = tuple(failures)
        self.labels = dict(labels)
        self.threshold = threshold

    @overload
    def __getitem__(self, index: int) -> PredictedImage: ...

    @overload
    def __getitem__(self, index: slice) -> Predictions: ...

    def __getitem__(self, index: int | slice) -> PredictedImage | Predictions:
        if isinstance(index, int):
            return self._items[index]
        return Predictions(self._items[index], (), labels=self.labels, threshold=self.threshold)

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[PredictedImage]:
        return iter(self._items)

    def considered(self, index: int) -> Prediction:
        """What was found in one image, scored over the deployment's threshold."""
        return considered(self._items[index].found, threshold=self.threshold)

    def __repr__(self) -> str:
        counts = [
            f"{Path(item.source).name}: {len(considered(item.found, threshold=self.threshold))}"
            for item in self._items[:SHOWN]
        ]
        more = [f"… {len(self) - SHOWN} more"] if len(self) > SHOWN else []
        failed = [f"{f.source}: {f.reason}" for f in self.failures[:SHOWN]]
        if len(self.failures) > SHOWN:
            failed.append(f"… {len(self.failures) - SHOWN} more failed")
        head = f"{len(self)} images predicted, {len(self.failures)} failed; objects found:"
        return "\n  ".join([head, *counts, *more, *failed])

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import pictures

        shown = [(item, _photo(item)) for item in self._items[:SHOWN]]
        if len(self) == 1 and not self.failures and shown[0][1]:
            html = pictures.predicted_image_html(*shown[0], self.labels, self.threshold)
        else:
            html = pictures.grid_html(
                shown, self.failures, self.labels, self.threshold, total=len(self)
            )
        return {"text/html": html, "text/plain": repr(self)}


def _photo(item: PredictedImage) -> bytes:
    """The photo as it is now; empty where its file is gone, which the grid then says."""
    try:
        return images.read(Path(item.source))
    except InvalidImageError:
        return b""


def predict_files(
    endpoint: Predictor, paths: Sequence[Path], *, monitor: bool, tags: Sequence[str]
) -> tuple[list[PredictedImage], list[FailedImage]]:
    """Predict on files, several at once; one that fails is named and the others go on.

    Raises:
        PicselliaJupyterError: a single image failed.
        NotServingError: nobody answered for any of them.
    """
    if len(paths) == 1:
        results = [_predict_file(endpoint, paths[0], monitor=monitor, tags=tags)]
    else:
        lazily = [(path.name, functools.partial(images.read, path)) for path in paths]
        answers = endpoint.predict_many(lazily, monitor=monitor, tags=tags)
        results = [_of_path(answer, path) for answer, path in zip(answers, paths, strict=True)]
    found = [result for result in results if isinstance(result, PredictedImage)]
    errors = [result for result in results if isinstance(result, PicselliaJupyterError)]
    unanswered = errors and all(isinstance(error, NotServingError) for error in errors)
    if not found and (len(errors) == 1 or unanswered):
        raise errors[0]
    failures = [
        FailedImage(str(path), str(result))
        for path, result in zip(paths, results, strict=True)
        if isinstance(result, PicselliaJupyterError)
    ]
    return found, failures


def _predict_file(
    endpoint: Predictor, path: Path, *, monitor: bool, tags: Sequence[str]
) -> PredictedImage | PicselliaJupyterError:
    try:
        found = endpoint.predict(images.read(path), path.name, monitor=monitor, tags=tags)
    except PicselliaJupyterError as error:
        return error
    return _of_path(found, path)


def _of_path(
    answer: PredictedImage | PicselliaJupyterError, path: Path
) -> PredictedImage | PicselliaJupyterError:
    """What was found, under the whole path of its file."""
    return replace(answer, source=str(path)) if isinstance(answer, PredictedImage) else answer
