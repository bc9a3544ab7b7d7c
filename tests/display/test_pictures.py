import base64
import io

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.display.pictures import alt_text, grid_html, predicted_image_html
from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    FailedImage,
    ImageSize,
    Masks,
    PredictedImage,
)
from tests.display.html_reading import PAYLOAD, assert_only_ours
from tests.display.viewer_reading import payload_of, photo_of

NAMES = {0: "zero", 1: "one"}


def photo(width: int = 640, height: int = 480, kind: str = "JPEG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), (128, 128, 128)).save(stream, kind)
    return stream.getvalue()


def predicted(source: str = "pages/page.jpg", found=None) -> PredictedImage:
    boxes = np.array([[100, 100, 200, 200]] * 3, np.float32)
    detections = Detections(np.array([0, 1, 1]), np.array([0.2, 0.5, 0.9], np.float32), boxes)
    return PredictedImage(source, ImageSize(640, 480), found or detections, 0.0042)


def images_of(page: str) -> list[Image.Image]:
    sources = assert_only_ours(page, scripts="pxj-viewer" in page).values("src")
    return [Image.open(io.BytesIO(base64.b64decode(src.split(",")[1]))) for src in sources]


def test_one_image_says_what_it_is_and_what_was_found_in_it():
    page = predicted_image_html(predicted(), photo(), NAMES, 0.3)
    text = "".join(assert_only_ours(page, scripts=True).text)
    line = "page.jpg · 640 × 480 px · 2 of 3 objects over threshold 0.3 · 4.2 ms"  # noqa: RUF001
    assert line in text
    assert payload_of(page)["caption"] == line
    assert photo_of(page).size == (640, 480)
    assert [image.size for image in images_of(page)] == [(480, 360)]


def test_the_alternative_text_counts_the_labels():
    page = predicted_image_html(predicted(), photo(), NAMES, 0.3)
    alt = "page.jpg: 2 of 3 objects over threshold 0.3: 2 of 'one'"
    assert assert_only_ours(page, scripts=True).values("alt") == [alt]
    assert payload_of(page)["alt"] == alt


def test_a_classification_is_told_by_its_first_class():
    found = Classification(np.array([1, 0]), np.array([0.875, 0.125], np.float32))
    assert alt_text(predicted(found=found), NAMES, None) == (
        "page.jpg: classified as one, score 0.88"
    )


def test_a_picture_is_at_most_1280_pixels_wide_and_a_thumbnail_320():
    image = PredictedImage("a.jpg", ImageSize(4000, 3000), predicted().found, 0.01)
    large = photo(4000, 3000)
    assert photo_of(predicted_image_html(image, large, NAMES, 0.3)).size == (1280, 960)
    assert images_of(grid_html([(image, large)], [], NAMES, 0.3))[0].size == (320, 240)


def test_a_grid_counts_objects_under_each_image():
    page = grid_html([(predicted(f"{n}.jpg"), photo()) for n in range(3)], [], NAMES, 0.6)
    text = " ".join(assert_only_ours(page).text)
    assert "3 images predicted" in text
    assert text.count("1 object") == 3
    assert len(images_of(page)) == 3


def test_a_grid_says_how_many_are_not_shown():
    items = [(predicted(f"{n}.jpg"), photo(64, 64)) for n in range(5)]
    page = grid_html(items, [], NAMES, 0.6, limit=2)
    assert "5 images predicted, 2 of 5 shown" in page
    assert len(images_of(page)) == 2


def test_a_grid_of_the_first_images_knows_how_many_there_are():
    page = grid_html([(predicted(), photo())], [], NAMES, 0.6, total=120)
    assert "120 images predicted, 1 of 120 shown" in page


def test_failures_are_listed_by_name_and_reason():
    failure = FailedImage("folder/notes.txt", "It is no image.")
    text = assert_only_ours(grid_html([], [failure], NAMES, 0.6)).text
    assert "notes.txt" in text
    assert "It is no image." in text


def test_an_image_that_cannot_be_drawn_does_not_hide_the_others():
    broken = Masks(np.array([0]), np.array([0.9], np.float32), ("zz",))
    items = [
        (predicted("mask.jpg", broken), photo()),
        (predicted("gone.jpg"), b"no image any more"),
        (predicted("good.jpg"), photo()),
    ]
    page = grid_html(items, [], NAMES, 0.3)
    assert len(images_of(page)) == 1
    text = " ".join(assert_only_ours(page).text)
    assert "mask.jpg" in text
    assert "gone.jpg" in text
    assert "Predicted, but not drawn" in text


def test_bytes_that_are_no_image_are_named():
    with pytest.raises(InvalidImageError, match=r"page\.jpg cannot be shown"):
        predicted_image_html(predicted(), b"nothing", NAMES, 0.3)


def test_nothing_that_was_typed_elsewhere_becomes_html():
    names = {0: PAYLOAD, 1: PAYLOAD}
    source = PAYLOAD.replace("/", "-")
    failure = FailedImage(source, PAYLOAD)
    for page in (
        predicted_image_html(predicted(source), photo(), names, 0.3),
        grid_html([(predicted(source), photo())], [failure], names, 0.3),
    ):
        reading = assert_only_ours(page, scripts="pxj-viewer" in page)
        assert any(source in text for text in reading.text)


def test_signs_that_turn_text_around_are_made_visible():
    page = predicted_image_html(predicted("invoice\u202egpj.exe"), photo(), NAMES, 0.3)
    assert "\u202e" not in page
    assert "invoice?gpj.exe" in page
