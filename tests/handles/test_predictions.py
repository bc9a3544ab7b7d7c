from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.domain.errors import (
    InvalidImageError,
    InvalidInputError,
    NotFoundError,
    NotServingError,
    PicselliaJupyterError,
)
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.handles.predicting import predict_files
from picsellia_jupyter.handles.predictions import Predictions


class FakeEndpoint:
    """Finds one sure and one doubtful box in everything but what it is told to refuse."""

    def __init__(
        self,
        refuse: type[Exception] = InvalidImageError,
        names: Sequence[str] = (),
        interrupt_at: str | None = None,
    ):
        self.refuse, self.names, self.interrupt_at = refuse, names, interrupt_at

    def predict(
        self, image: bytes, filename: str, *, monitor: bool, tags: Sequence[str]
    ) -> PredictedImage:
        if filename in self.names:
            raise self.refuse(f"{filename} is no image.", "Send a JPEG.")
        boxes = np.array([[1, 1, 9, 9], [2, 2, 5, 5]], np.float32)
        found = Detections(np.array([0, 1]), np.array([0.9, 0.2], np.float32), boxes)
        return PredictedImage(filename, ImageSize(12, 10), found, 0.01, "id")

    def predict_each(self, images, *, monitor: bool, tags: Sequence[str]):
        for filename, read in images:
            if filename == self.interrupt_at:
                raise KeyboardInterrupt
            try:
                yield self.predict(read(), filename, monitor=monitor, tags=tags)
            except PicselliaJupyterError as error:
                yield error


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{name}.png" for name in "abc"]
    for path in paths:
        Image.new("RGB", (12, 10)).save(path)
    return paths


def predictions(photos: list[Path], endpoint: FakeEndpoint) -> Predictions:
    came = predict_files(endpoint, photos, monitor=True, tags=())
    return Predictions(
        came.found,
        came.failures,
        labels={0: "zero", 1: "one"},
        threshold=0.3,
        undone=came.undone,
    )


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

    assert shown["text/html"].count("data:image/jpeg;base64") == count
    assert f"{count} image{'s' if count > 1 else ''} predicted, 0 failed" in shown["text/plain"]
    assert "a.png: 1" in shown["text/plain"]


def test_an_interrupt_keeps_what_was_done_and_names_what_was_not(photos: list[Path]):
    found = predictions(photos, FakeEndpoint(interrupt_at="c.png"))

    assert [item.source for item in found] == [str(photos[0]), str(photos[1])]
    assert found.undone == (str(photos[2]),)
    assert "interrupted: 1 image is not predicted on; d.predict(found.undone) goes" in repr(found)
    assert "d.predict(found.undone) goes on with them." in found._repr_mimebundle_()["text/html"]


def test_an_interrupt_before_anything_was_done_is_one(photos: list[Path]):
    with pytest.raises(KeyboardInterrupt):
        predictions(photos, FakeEndpoint(interrupt_at="a.png"))


def test_each_image_is_told_of_as_it_is_done(photos: list[Path]):
    told = []
    predict_files(
        FakeEndpoint(names=["b.png"]),
        photos,
        monitor=True,
        tags=(),
        watch=lambda *said: told.append(said),
    )

    assert [(done, failed) for done, failed, _ in told] == [(1, 0), (2, 1), (3, 1)]
    assert [image and Path(image.source).name for *_, image in told] == ["a.png", None, "c.png"]


def test_filtering_by_label_keeps_the_shapes_of_that_label(photos: list[Path]):
    found = predictions(photos, FakeEndpoint()).filter(label="one")

    assert [item.found.classes.tolist() for item in found] == [[1]] * 3
    assert len(found[0].considered) == 0


def test_filtering_by_score_takes_the_place_of_the_threshold(photos: list[Path]):
    every = predictions(photos, FakeEndpoint())

    assert every.filter(score=0.1)[0].considered.classes.tolist() == [0, 1]
    assert every.filter(score=(0.1, 0.5))[0].considered.classes.tolist() == [1]
    assert len(every.filter(score=0.9)) == 0
    assert len(every.filter(label="one", score=0.5)) == 0


def test_a_filtered_sequence_can_be_filtered_sliced_and_sorted_again(photos: list[Path]):
    found = predictions(photos, FakeEndpoint()).filter(label=["zero", "one"])[1:].sorted()

    assert [Path(item.source).name for item in found] == ["b.png", "c.png"]
    assert found.filter(label="zero")[-1].found.classes.tolist() == [0]


def test_a_class_without_a_label_is_filtered_by_the_name_it_is_shown_under():
    found = Predictions([scored(0.9)], (), labels={3: "three"}, threshold=0.3)

    assert len(found.filter(label="class 0")) == 1
    assert len(found.filter(label="three")) == 0


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"label": "zer"}, NotFoundError, "Did you mean 'zero'"),
        ({"score": 1.5}, InvalidInputError, r"score is 1\.5, which is no range"),
        ({"score": (0.5, 0.2)}, InvalidInputError, "no range within"),
    ],
)
def test_a_filter_that_cannot_be_says_why(photos: list[Path], how, error, words):
    with pytest.raises(error, match=words):
        predictions(photos, FakeEndpoint()).filter(**how)


def scored(*scores: float) -> PredictedImage:
    boxes = np.tile(np.array([0, 0, 5, 5], np.float32), (len(scores), 1))
    found = Detections(np.zeros(len(scores), int), np.array(scores, np.float32), boxes)
    return PredictedImage("/".join(map(str, scores)), ImageSize(9, 9), found, 0.01)


def test_images_are_sorted_by_their_least_sure_shape_or_by_how_many_they_have():
    images = [scored(0.9), scored(0.2), scored(0.5, 0.6, 0.8), scored(0.95, 0.4)]
    found = Predictions(images, (), labels={}, threshold=0.3)

    least_sure = ["0.95/0.4", "0.5/0.6/0.8", "0.9", "0.2"]
    assert [item.source for item in found.sorted()] == least_sure
    assert [item.source for item in found.sorted("objects")] == [
        "0.5/0.6/0.8",
        "0.95/0.4",
        "0.9",
        "0.2",
    ]
    with pytest.raises(NotFoundError, match="Did you mean 'objects'"):
        found.sorted("object")


def test_what_is_found_in_many_images_does_not_fill_the_memory(photos: list[Path], tmp_path: Path):
    class Finder(FakeEndpoint):
        def predict_each(self, images, **_how):
            boxes = np.tile(np.array([100, 200, 300, 400], np.float32), (100, 1))
            found = Detections(np.zeros(100, int), np.full(100, 0.123456, np.float32), boxes)
            for filename, _ in images:
                yield PredictedImage(filename, ImageSize(640, 480), found, 0.01)

    tracemalloc.start()
    came = predict_files(Finder(), photos * 1000, monitor=False, tags=(), folder=tmp_path / "cache")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(came.found) == 3000
    assert peak < 9_000_000
    assert len(came.found[2999].found) == 100


def test_images_are_shown_a_hundred_at_a_time():
    found = Predictions([scored(0.9)] * 250, (), labels={}, threshold=0.3)

    assert [len(found.page(number)) for number in (1, 2, 3)] == [100, 100, 50]
    for number in (0, 4):
        with pytest.raises(InvalidInputError, match=rf"no page {number}\. Pages are numbered .* 3"):
            found.page(number)
