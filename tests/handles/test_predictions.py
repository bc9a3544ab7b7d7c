from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.domain.errors import (
    InvalidImageError,
    NotServingError,
    PicselliaJupyterError,
)
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.handles.predictions import Predictions, predict_files


class FakeEndpoint:
    """Finds one sure and one doubtful box in everything but what it is told to refuse."""

    def __init__(self, refuse: type[Exception] = InvalidImageError, names: Sequence[str] = ()):
        self.refuse, self.names = refuse, names

    def predict(
        self, image: bytes, filename: str, *, monitor: bool, tags: Sequence[str]
    ) -> PredictedImage:
        if filename in self.names:
            raise self.refuse(f"{filename} is no image.", "Send a JPEG.")
        boxes = np.array([[1, 1, 9, 9], [2, 2, 5, 5]], np.float32)
        found = Detections(np.array([0, 1]), np.array([0.9, 0.2], np.float32), boxes)
        return PredictedImage(filename, ImageSize(12, 10), found, 0.01, "id")

    def predict_many(self, images, *, monitor: bool, tags: Sequence[str]):
        outcomes = []
        for filename, read in images:
            try:
                outcomes.append(self.predict(read(), filename, monitor=monitor, tags=tags))
            except PicselliaJupyterError as error:
                outcomes.append(error)
        return outcomes


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path in paths:
        Image.new("RGB", (12, 10)).save(path)
    return paths


def predictions(photos: list[Path], endpoint: FakeEndpoint) -> Predictions:
    found, failures = predict_files(endpoint, photos, monitor=True, tags=())
    return Predictions(found, failures, labels={0: "zero", 1: "one"}, threshold=0.3)


def test_images_come_back_in_their_order_with_their_paths(photos: list[Path]):
    assert [item.source for item in predictions(photos, FakeEndpoint())] == list(map(str, photos))


def test_an_image_that_fails_is_named_and_the_others_go_on(photos: list[Path]):
    found = predictions(photos, FakeEndpoint(names=["b.png"]))

    assert len(found) == 2
    assert [(f.source, f.reason) for f in found.failures] == [
        (str(photos[1]), "b.png is no image. Send a JPEG.")
    ]


def test_the_only_image_that_fails_raises_its_error(photos: list[Path]):
    with pytest.raises(InvalidImageError, match=r"a\.png is no image"):
        predictions(photos[:1], FakeEndpoint(names=["a.png"]))


def test_a_serving_kernel_that_answers_nobody_raises_once(photos: list[Path]):
    with pytest.raises(NotServingError):
        predictions(photos, FakeEndpoint(NotServingError, [path.name for path in photos]))


def test_considered_is_what_is_scored_over_the_threshold(photos: list[Path]):
    found = predictions(photos, FakeEndpoint())

    assert len(found[0].found) == 2
    assert found.considered(0).classes.tolist() == [0]


def test_a_slice_is_predictions_too(photos: list[Path]):
    assert [Path(item.source).name for item in predictions(photos, FakeEndpoint())[1:]] == [
        "b.png",
        "c.png",
    ]


@pytest.mark.parametrize("count", [1, 3])
def test_an_image_whose_file_is_gone_is_named_where_it_was(photos: list[Path], count: int):
    found = predictions(photos[:count], FakeEndpoint())
    photos[0].unlink()

    html = found._repr_mimebundle_()["text/html"]

    assert "a.png" in html
    assert html.count("data:image/jpeg;base64") == count - 1


@pytest.mark.parametrize("count", [1, 3])
def test_they_show_themselves_as_pictures_and_as_text(photos: list[Path], count: int):
    found = predictions(photos[:count], FakeEndpoint())

    shown = found._repr_mimebundle_()

    assert shown["text/html"].count("<img ") == count
    assert ("<script>" in shown["text/html"]) == (count == 1)
    assert f"{count} images predicted, 0 failed" in shown["text/plain"]
    assert "a.png: 1" in shown["text/plain"]
