import base64
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.display.captions import alt_text, caption_text, saved_text
from picsellia_jupyter.display.pictures import predicted_image_html, strip_html
from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.domain.predictions import Classification, ImageSize
from tests.display.html_reading import PAYLOAD, Reading, assert_only_ours
from tests.display.shown import NAMES, boxes, photo, shown
from tests.display.viewer_reading import payload_of, photo_of


def images_of(page: str) -> list[Image.Image]:
    sources = assert_only_ours(page, scripts="pxj-viewer" in page).values("src")
    return [Image.open(io.BytesIO(base64.b64decode(src.split(",")[1]))) for src in sources]


def test_one_image_says_what_it_is_and_what_was_found_in_it():
    page = predicted_image_html(shown(), NAMES, 0.3)
    text = "".join(assert_only_ours(page, scripts=True).text)
    line = "page.jpg · 640 × 480 px · 2 of 3 objects over threshold 0.3 · 4.2 ms"  # noqa: RUF001
    assert line in text
    assert payload_of(page)["caption"] == line
    assert photo_of(page).size == (640, 480)
    assert [image.size for image in images_of(page)] == [(480, 360)]


def test_the_tags_of_a_recorded_image_stand_in_its_caption():
    image = shown().image
    few, many = (replace(image, tags=tuple(f"t{n}" for n in range(count))) for count in (2, 12))
    assert caption_text(few, NAMES, 0.3).endswith(" · 4.2 ms · tags: t0, t1")
    assert caption_text(many, NAMES, 0.3).endswith(", t8, t9 and 2 more")


def test_the_alternative_text_counts_the_labels():
    page = predicted_image_html(shown(), NAMES, 0.3)
    alt = "page.jpg: 2 of 3 objects over threshold 0.3: 2 of 'one'"
    assert assert_only_ours(page, scripts=True).values("alt") == [alt]
    assert payload_of(page)["alt"] == alt


def test_a_classification_is_told_by_its_first_class():
    found = Classification(np.array([1, 0]), np.array([0.875, 0.125], np.float32))
    assert alt_text(shown(found=found).image, NAMES, None) == (
        "page.jpg: classified as one, score 0.88"
    )


@pytest.mark.parametrize(("embed", "width"), [("full", 1280), ("thumb", 320)])
def test_a_picture_is_as_large_as_was_asked(embed, width):
    page = predicted_image_html(shown(size=ImageSize(4000, 3000)), NAMES, 0.3, embed=embed)
    assert photo_of(page).size == (width, width * 3 // 4)
    assert f"in this output: photos at {width} px at most" in page


def test_a_linked_photo_is_not_in_the_page():
    page = predicted_image_html(shown("a.jpg", encoded=b""), NAMES, 0.3, embed="link")
    assert "base64" not in page
    assert Reading(page).values("src") == ["../a.jpg"]


@pytest.mark.parametrize(
    ("size", "held", "told"),
    [
        ((640, 480), (640, 480), "640 × 480 px"),  # noqa: RUF001
        ((4000, 2667), (1280, 853), "4000 × 2667 px, enlarged from 1280 × 853"),  # noqa: RUF001
        ((32, 24), (32, 24), "480 × 360 px, enlarged from 32 × 24"),  # noqa: RUF001
        ((24000, 20000), (1280, 1067), "12000 × 10000 px, enlarged from 1280 × 1067"),  # noqa: RUF001
        ((4000, 2667), None, "4000 × 2667 px; browsers refuse it on pages opened as files"),  # noqa: RUF001
    ],
    ids=["small enough", "large", "tiny", "more than a canvas holds", "linked"],
)
def test_what_the_viewer_saves_is_told_with_its_size(size, held, told):
    held = held and ImageSize(*held)
    assert saved_text(ImageSize(*size), held) == f"As it is shown, the photo at {told}"


def test_the_size_of_the_photo_that_is_held_is_told():
    page = predicted_image_html(shown(size=ImageSize(4000, 3000)), NAMES, 0.3, embed="thumb")
    assert payload_of(page)["saved"].endswith("4000 × 3000 px, enlarged from 320 × 240")  # noqa: RUF001


def test_what_is_compared_is_drawn_too():
    one = shown(found=boxes(0.9), shadow=boxes(0.8, left=400), truth=boxes(1.0, left=105))
    layers = payload_of(predicted_image_html(one, NAMES, 0.3))["layers"]
    assert [layer["name"] for layer in layers] == ["champion", "shadow", "ground truth"]


def test_bytes_that_are_no_image_are_named():
    with pytest.raises(InvalidImageError, match=r"page\.jpg cannot be shown"):
        predicted_image_html(shown(encoded=b"nothing"), NAMES, 0.3)


def test_a_strip_leaves_out_what_cannot_be_drawn():
    items = [shown("a.jpg", size=ImageSize(1600, 1200)), shown("b.jpg", encoded=b"nothing")]
    page = strip_html(items, NAMES, 0.3)
    assert [image.size for image in images_of(page)] == [(160, 120)]
    assert "a.jpg" in page
    assert "b.jpg" not in page


def test_nothing_that_was_typed_elsewhere_becomes_html():
    names = {0: PAYLOAD, 1: PAYLOAD}
    source = PAYLOAD.replace("/", "-")
    for page in (
        predicted_image_html(shown(source), names, 0.3),
        strip_html([shown(source)], names, 0.3),
    ):
        reading = assert_only_ours(page, scripts="pxj-viewer" in page)
        assert any(source in text for text in reading.text)


def test_signs_that_turn_text_around_are_made_visible():
    page = predicted_image_html(shown("invoice\u202egpj.exe", encoded=photo()), NAMES, 0.3)
    assert "\u202e" not in page
    assert "invoice?gpj.exe" in page
