import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.display.grid import Page, disagreement, grid_html
from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.domain.predictions import Classification, FailedImage, ImageSize, Masks
from tests.display.html_reading import PAYLOAD, Reading, assert_only_ours
from tests.display.shown import NAMES, boxes, photo, shown
from tests.display.viewer_reading import decoded, payload_of


def picture(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.split(",")[1])))


def stills_of(page: str) -> list[Image.Image]:
    return [picture(src) for src in assert_only_ours(page, scripts=True).values("src")]


def text_of(page: str) -> str:
    return " ".join(assert_only_ours(page, scripts=True).text)


def test_objects_over_the_threshold_are_counted_under_each_image():
    page = grid_html([shown(f"{n}.jpg") for n in range(3)], [], NAMES, 0.6)

    assert "3 images predicted" in text_of(page)
    assert text_of(page).count("1 object") == 3
    assert len(stills_of(page)) == 3


def test_the_script_is_given_every_shape_with_its_raw_score_and_a_small_photo():
    large = shown(size=ImageSize(4000, 3000))
    payload = payload_of(grid_html([large, shown("b.jpg")], [], NAMES, 0.6))

    first, second = payload["items"]
    assert (payload["threshold"], first["name"], second["name"]) == (0.6, "page.jpg", "b.jpg")
    assert decoded(first["layers"][0])["scores"].round(3).tolist() == [0.2, 0.5, 0.9]
    assert (first["w"], first["h"], picture(first["photo"]).size) == (4000, 3000, (320, 240))


@pytest.mark.parametrize(("images", "side"), [(24, 320), (25, 160)])
def test_static_pictures_are_smaller_where_there_are_many(images, side):
    page = grid_html([shown(f"{n}.jpg") for n in range(images)], [], NAMES, 0.6)
    assert {still.size for still in stills_of(page)} == {(side, side * 3 // 4)}


def test_a_page_says_which_images_it_shows_and_how_to_see_others():
    place = Page(101, 10_000, hint="Page 2 of 100: found.show(page=3) shows another.")
    page = grid_html([shown(f"{n}.jpg") for n in range(2)], [], NAMES, 0.6, page=place)
    assert "10,000 images predicted, 101 to 102 shown" in text_of(page)
    assert "found.show(page=3)" in text_of(page)


def test_an_interrupt_is_told():
    page = grid_html([shown()], [], NAMES, 0.6, page=Page(1, 1, undone=9))
    assert "1 image predicted · interrupted, 9 not predicted on" in text_of(page)


def test_failures_are_listed_by_name_and_reason_a_hundred_at_most():
    failures = [FailedImage(f"folder/{n}.txt", "It is no image.") for n in range(130)]
    text = text_of(grid_html([], failures, NAMES, 0.6))
    assert "0.txt" in text
    assert text.count("It is no image.") == 100
    assert "and 30 more" in text


def test_an_image_that_cannot_be_drawn_does_not_hide_the_others():
    broken = Masks(np.array([0]), np.array([0.9], np.float32), ("zz",))

    def gone() -> bytes:
        raise InvalidImageError("lost.jpg cannot be read.", "Check its path.")

    lost = shown("lost.jpg")
    object.__setattr__(lost, "read", gone)
    items = [
        shown("mask.jpg", broken),
        shown("text.jpg", encoded=b"no image any more"),
        lost,
        shown("good.jpg"),
    ]

    page = grid_html(items, [], NAMES, 0.3)

    assert [item["name"] for item in payload_of(page)["items"]] == ["good.jpg"]
    for name in ("mask.jpg", "text.jpg", "lost.jpg"):
        assert name in text_of(page)
    assert text_of(page).count("Predicted, but not drawn") == 3


def test_what_is_compared_is_drawn_and_counted():
    one = shown(found=boxes(0.9), shadow=boxes(0.8, left=400), truth=boxes(1.0, left=105))

    item = payload_of(grid_html([one], [], NAMES, 0.3))["items"][0]

    assert [layer["kind"] for layer in item["layers"]] == ["champion", "shadow", "truth"]
    assert item["apart"] == 2
    assert "pairs" in item["layers"][0]


def test_champion_and_shadow_disagree_where_only_one_of_them_is_over_the_threshold():
    assert disagreement(shown(found=boxes(0.9), shadow=boxes(0.8)), 0.3) == 0
    assert disagreement(shown(found=boxes(0.9), shadow=boxes(0.2)), 0.3) == 1
    assert disagreement(shown(), 0.3) == 0


def test_a_classification_has_no_threshold_and_is_told_by_its_first_class():
    found = Classification(np.array([1, 0]), np.array([0.875, 0.125], np.float32))
    page = grid_html([shown(found=found)], [], NAMES, None)
    assert payload_of(page)["threshold"] is None
    assert "one, score 0.88" in text_of(page)


@pytest.mark.parametrize(("embed", "side"), [("thumb", 320), ("full", 1280)])
def test_photos_are_held_as_asked_and_the_bytes_are_told(embed, side):
    page = grid_html([shown(size=ImageSize(4000, 3000))], [], NAMES, 0.3, embed=embed)
    assert picture(payload_of(page)["items"][0]["photo"]).width == side
    told = re.search(rf"(\d+) kB in this output: photos at {side} px at most", text_of(page))
    assert abs(int(told.group(1)) * 1000 - len(page.encode())) < 1000


def test_a_linked_photo_is_not_in_the_page():
    page = grid_html([shown("a b.jpg", encoded=b"")], [], NAMES, 0.3, embed="link")
    assert "base64" not in page
    assert payload_of(page)["items"][0]["photo"] == ""
    assert Reading(page).values("src") == ["../a b.jpg"]
    assert "photos linked, not included" in page


def test_nothing_of_a_photos_metadata_is_in_the_page():
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    page = grid_html([shown(encoded=photo(exif=exif, comment=b"SECRET"))], [], NAMES, 0.3)
    pictures = [payload_of(page)["items"][0]["photo"]]
    pictures += assert_only_ours(page, scripts=True).values("src")
    assert len(pictures) == 2
    assert all(b"SECRET" not in base64.b64decode(src.split(",")[1]) for src in pictures)


def test_nothing_that_was_typed_elsewhere_becomes_html():
    names = {0: PAYLOAD, 1: PAYLOAD}
    source = PAYLOAD.replace("/", "-")
    page = grid_html([shown(source)], [FailedImage(source, PAYLOAD)], names, 0.3)
    reading = assert_only_ours(page, scripts=True)
    assert any(source in text for text in reading.text)
    assert payload_of(page)["items"][0]["name"] == source


def test_a_hundred_images_take_at_most_two_megabytes():
    stream = io.BytesIO()
    octaves = [
        Image.effect_noise((16 * 2**n, 9 * 2**n), 90).resize((1920, 1080)) for n in range(1, 7)
    ]
    mean = np.mean([np.asarray(octave, float) for octave in octaves], axis=0)
    Image.fromarray(np.clip(mean * 3 - 256, 0, 255).astype(np.uint8)).save(stream, "JPEG")
    many = [
        shown(f"{n}.jpg", boxes(*[0.9] * 20), stream.getvalue(), ImageSize(1920, 1080))
        for n in range(100)
    ]
    assert len(grid_html(many, [], NAMES, 0.3).encode()) <= 2_000_000
