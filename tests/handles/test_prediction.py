import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.errors import InvalidImageError, InvalidInputError
from picsellia_jupyter.domain.predictions import (
    PREDICTION_TYPES,
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    PredictedImage,
    Segmentation,
)
from picsellia_jupyter.handles.conversions import MissingPackageError
from picsellia_jupyter.handles.prediction import ImagePrediction
from picsellia_jupyter.handles.predictions import Predictions
from tests.display.html_reading import PAYLOAD

SIZE = ImageSize(1600, 1200)
LABELS = {0: "cat", 1: "dog"}
CLASSES, SCORES = np.array([0, 1]), np.array([0.9, 0.25], np.float32)
TRIANGLE = np.array([[2, 3], [12, 3], [2, 23]], np.float32)
MASK = rle.encode(np.ones((20, 10), bool), SIZE, left=3, top=4)
OF = {
    Detections: Detections(
        CLASSES, SCORES, np.array([[400, 300, 800, 900], [10, 10, 50, 50]], np.float32)
    ),
    Segmentation: Segmentation(CLASSES, SCORES, (TRIANGLE, TRIANGLE + 20)),
    Lines: Lines(CLASSES, SCORES, (TRIANGLE, TRIANGLE)),
    Points: Points(CLASSES, SCORES, np.array([[3, 4], [5, 6]], np.float32)),
    Keypoints: Keypoints(CLASSES, SCORES, (np.array([[5, 6, 2], [8, 9, 1]], np.float32),) * 2),
    Masks: Masks(CLASSES, SCORES, (MASK, MASK)),
    Classification: Classification(CLASSES, SCORES),
}


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    exif = Image.Exif()
    exif[0x010E] = "SECRET place"
    Image.new("RGB", (1600, 1200), (10, 20, 30)).save(path, exif=exif, quality=95)
    return path


def prediction(path: Path, kind=Detections) -> ImagePrediction:
    image = PredictedImage(str(path), SIZE, OF[kind], 0.0042, "id-1")
    return ImagePrediction(image, LABELS, None if kind is Classification else 0.3)


def test_a_picture_is_written_at_the_photos_size_with_the_considered_shapes(photo, tmp_path):
    path = prediction(photo).to_png(tmp_path / "drawn.png")

    with Image.open(path) as drawn:
        assert (drawn.format, drawn.size) == ("PNG", (1600, 1200))
        assert drawn.getpixel((400, 600)) == (0, 114, 178)
        assert drawn.getpixel((600, 600)) == (10, 20, 30)
        assert drawn.getpixel((30, 10)) == (10, 20, 30)
    assert b"SECRET" not in path.read_bytes()


def test_a_picture_of_a_file_that_is_gone_says_so(photo, tmp_path):
    one = prediction(photo)
    photo.unlink()
    with pytest.raises(InvalidImageError, match=r"photo\.jpg cannot be read"):
        one.to_png(tmp_path / "drawn.png")
    photo.write_text("no image")
    with pytest.raises(InvalidImageError, match=r"photo\.jpg cannot be drawn"):
        one.to_png(tmp_path / "drawn.png")


def test_a_page_holds_everything_and_may_fetch_nothing(photo, tmp_path):
    path = prediction(photo).to_html(tmp_path / "page.html")
    page = path.read_text()

    assert page.startswith("<!doctype html>")
    assert "default-src &#x27;none&#x27;" in page
    assert "data:image/jpeg;base64," in page
    assert "<title>photo.jpg</title>" in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_title_of_a_page_is_text(photo, tmp_path):
    name = PAYLOAD.replace("/", "-")
    evil = photo.rename(photo.with_name(name))
    assert "<script>alert" not in prediction(evil).to_html(tmp_path / "page.html").read_text()


@pytest.mark.parametrize("kind", PREDICTION_TYPES.values())
def test_a_dictionary_has_all_shapes_with_raw_scores_and_is_json(photo, kind):
    said = json.loads(json.dumps(prediction(photo, kind).to_dict()))

    assert said["image"] == str(photo)
    assert (said["width"], said["height"], said["prediction_id"]) == (1600, 1200, "id-1")
    assert [shape["label"] for shape in said["shapes"]] == ["cat", "dog"]
    assert said["shapes"][1]["score"] == 0.25
    assert [s["considered"] for s in said["shapes"]] == [True, kind is Classification]


def test_each_type_of_shape_has_its_own_key(photo):
    shapes = {kind: prediction(photo, kind).to_dict()["shapes"][0] for kind in OF}

    assert shapes[Detections]["box_xyxy"] == [400, 300, 800, 900]
    assert shapes[Segmentation]["polygon"] == TRIANGLE.tolist()
    assert shapes[Lines]["line"] == TRIANGLE.tolist()
    assert shapes[Points]["point"] == [3, 4]
    assert shapes[Keypoints]["keypoints"] == [[5, 6, 2], [8, 9, 1]]
    assert shapes[Masks]["mask"] == {"size": [1200, 1600], "counts": MASK}
    assert "box_xyxy" not in shapes[Classification]


@pytest.mark.parametrize("kind", [Detections, Segmentation, Masks])
def test_supervision_is_given_boxes_scores_names_and_masks(photo, kind):
    sv = pytest.importorskip("supervision")
    detections = prediction(photo, kind).to_supervision()

    assert isinstance(detections, sv.Detections)
    assert detections.confidence.tolist() == SCORES.tolist()
    assert detections.class_id.tolist() == [0, 1]
    assert detections.data["class_name"].tolist() == ["cat", "dog"]
    if kind is Detections:
        assert detections.xyxy.tolist() == OF[Detections].boxes_xyxy.tolist()
        assert detections.mask is None
    else:
        assert detections.mask.shape == (2, 1200, 1600)
        assert detections.mask[0, 6, 4]
        assert not detections.mask[0, 100, 100]


@pytest.mark.parametrize(("kind", "most"), [(Keypoints, 2), (Points, 1)])
def test_supervision_is_given_keypoints(photo, kind, most):
    sv = pytest.importorskip("supervision")
    points = prediction(photo, kind).to_supervision()

    assert isinstance(points, sv.KeyPoints)
    assert points.xy.shape == (2, most, 2)
    assert points.data["class_name"].tolist() == ["cat", "dog"]


def test_supervision_has_no_lines(photo):
    pytest.importorskip("supervision")
    with pytest.raises(InvalidInputError, match="no form for predictions of type line"):
        prediction(photo, Lines).to_supervision()


@pytest.mark.parametrize(("package", "call"), [("supervision", "one"), ("pandas", "all")])
def test_a_library_that_is_not_there_is_named_with_what_installs_it(
    photo, monkeypatch, package, call
):
    monkeypatch.setitem(sys.modules, package, None)
    one = prediction(photo)
    every = Predictions([one.image], (), labels=LABELS, threshold=0.3)
    with pytest.raises(MissingPackageError, match=f"pip install {package}"):
        (one.to_supervision if call == "one" else every.to_pandas)()


@pytest.mark.parametrize("kind", PREDICTION_TYPES.values())
def test_a_data_frame_has_a_row_a_shape(photo, kind):
    pytest.importorskip("pandas")
    one = prediction(photo, kind)
    empty = PredictedImage("empty.jpg", SIZE, OF[kind].take([]), 0.01)
    every = Predictions([one.image, empty, one.image], (), labels=LABELS, threshold=one.threshold)

    frame = every.to_pandas()

    assert len(frame) == 4
    assert frame["label"].tolist() == ["cat", "dog"] * 2
    assert frame["shape"].tolist() == [0, 1] * 2
    assert frame["score"].tolist() == SCORES.tolist() * 2
    assert frame["considered"].tolist() == [True, kind is Classification] * 2
    if kind is Detections:
        assert frame.loc[0, ["left", "top", "right", "bottom", "area"]].tolist() == [
            400,
            300,
            800,
            900,
            240_000,
        ]


def test_no_images_make_an_empty_data_frame():
    pytest.importorskip("pandas")
    frame = Predictions([], (), labels=LABELS, threshold=0.3).to_pandas()
    assert (len(frame), "label" in frame) == (0, True)


def test_a_coco_file_is_what_is_returned(photo, tmp_path):
    every = Predictions([prediction(photo).image], (), labels=LABELS, threshold=0.3)
    coco = every.to_coco(tmp_path / "coco.json")
    assert json.loads((tmp_path / "coco.json").read_text()) == coco
    assert coco["annotations"][0]["bbox"] == [400, 300, 400, 600]


def test_a_way_to_hold_photos_that_there_is_not_is_refused(photo, tmp_path):
    with pytest.raises(InvalidInputError, match=r"embed is 'big'.* Known: 'thumb', 'full', 'link'"):
        prediction(photo).to_html(tmp_path / "page.html", embed="big")


def test_a_linked_page_finds_the_photo_from_where_it_lies(photo, tmp_path):
    (tmp_path / "pages").mkdir()
    page = prediction(photo).to_html(tmp_path / "pages" / "page.html", embed="link").read_text()
    assert 'src="../photo.jpg"' in page
    assert "base64,/9j" not in page
