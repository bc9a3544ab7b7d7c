import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from picsellia_jupyter.display.palette import label_colour
from picsellia_jupyter.display.viewer import COCO_EDGES, Layer, script_json, viewer_payload
from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Prediction,
)
from tests.display.html_reading import PAYLOAD, assert_only_ours
from tests.display.one_image import viewer_html
from tests.display.viewer_reading import Block, decoded, payload_of, photo_of

NAMES = {0: "zero", 1: "one", 7: "seven"}
SCRIPT = "viewer.min.js"


def photo(width: int = 640, height: int = 480, kind: str = "JPEG", **options) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (width, height), (128, 128, 128)).save(stream, kind, **options)
    return stream.getvalue()


def boxes(*rows, classes=None, scores=None) -> Detections:
    return Detections(
        np.array(classes or [0] * len(rows), np.int64),
        np.array(scores or [0.9] * len(rows), np.float32),
        np.array(rows, np.float32).reshape(-1, 4),
    )


def page(found: Prediction, *more: Layer, encoded: bytes | None = None, **options) -> str:
    given = {"threshold": 0.3, "name": "a.jpg"} | options
    layers = [Layer("champion", "champion", found), *more]
    return viewer_html(encoded or photo(), layers, given.pop("labels", NAMES), **given)


def stills(html: str) -> list[Image.Image]:
    import base64

    sources = assert_only_ours(html, scripts=True).values("src")
    return [Image.open(io.BytesIO(base64.b64decode(src.split(",")[1]))) for src in sources]


def test_the_picture_is_at_most_1280_pixels_wide_and_the_static_one_480():
    html = page(boxes((10, 10, 90, 90)), encoded=photo(4000, 3000))
    assert photo_of(html).size == (1280, 960)
    assert [still.size for still in stills(html)] == [(480, 360)]
    assert (payload_of(html)["w"], payload_of(html)["h"]) == (4000, 3000)


def test_the_static_picture_has_the_objects_drawn_in():
    still = stills(page(boxes((100, 100, 500, 400), scores=[0.9])))[0]
    red, green, blue = still.getpixel((75, 200))
    wanted = label_colour(0)
    assert np.abs(np.array((red, green, blue)) - wanted).max() < 60


def test_the_static_picture_leaves_out_what_is_not_over_the_threshold():
    empty, drawn = (
        stills(page(boxes((100, 100, 500, 400), scores=[score])))[0] for score in (0.3, 0.31)
    )
    assert np.ptp(np.asarray(empty)) < 10
    assert np.ptp(np.asarray(drawn)) > 100


def test_scores_are_all_kept_and_the_slider_starts_at_the_threshold():
    payload = payload_of(page(boxes((0, 0, 9, 9), (0, 0, 9, 9), scores=[0.1, 0.9])))
    assert payload["threshold"] == 0.3
    assert decoded(payload["layers"][0])["scores"].tolist() == pytest.approx([0.1, 0.9])


def test_a_classification_has_no_slider():
    found = Classification(np.array([1, 0]), np.array([0.8, 0.2], np.float32))
    assert payload_of(page(found))["threshold"] is None


def test_only_classes_that_were_found_are_listed_with_their_own_colours():
    payload = payload_of(page(boxes((0, 0, 9, 9), (0, 0, 9, 9), classes=[7, 1])))
    assert [(name, index) for name, _, _, index in payload["labels"]] == [("one", 1), ("seven", 7)]
    assert payload["labels"][1][1] == "#" + bytes(label_colour(7)).hex()
    assert decoded(payload["layers"][0])["ranks"].tolist() == [1, 0]


def test_predictions_are_matched_to_the_ground_truth():
    truth = Layer("ground truth", "truth", boxes((0, 0, 10, 10), (50, 50, 90, 90)))
    payload = payload_of(page(boxes((50, 50, 90, 80), (200, 0, 210, 10)), truth))
    pairs = Block(payload["layers"][0]["pairs"])
    assert pairs.read(2).tolist() == [2, 0]
    assert pairs.read(2).tolist() == [round(0.75 * 255), 0]
    assert payload["measure"] == "IoU"
    assert "pairs" not in payload["layers"][1]


def test_ground_truth_is_whole_whatever_its_scores_and_the_threshold():
    truth = Layer("review", "review", boxes((0, 0, 10, 10), scores=[0.3]))
    payload = payload_of(page(boxes((0, 0, 10, 10), scores=[0.3]), truth))
    assert [layer["kind"] for layer in payload["layers"]] == ["champion", "review"]
    assert decoded(payload["layers"][1])["scores"][0] == pytest.approx(0.3, abs=1e-4)


def test_a_person_of_17_points_has_a_skeleton_and_others_only_what_is_given():
    points = np.ones((17, 3), np.float32)
    found = Keypoints(np.array([0]), np.array([0.9], np.float32), (points,))
    assert payload_of(page(found))["edges"] == {"0": [list(edge) for edge in COCO_EDGES]}
    hand = Keypoints(np.array([7]), np.array([0.9], np.float32), (points[:3],))
    assert payload_of(page(hand))["edges"] == {}
    layers, size = [Layer("champion", "champion", hand)], ImageSize(9, 9)
    given = viewer_payload(layers, NAMES, size, threshold=0.3, edges={7: [(0, 1)]})
    assert given["edges"] == {0: [(0, 1)]}


def test_no_metadata_of_the_photo_is_carried_over():
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SECRET CAMERA"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "SECRET NORTH"
    html = page(boxes((0, 0, 9, 9)), encoded=photo(exif=exif, comment=b"SECRET COMMENT"))
    for picture in (photo_of(html), *stills(html)):
        assert not picture.getexif()
        assert "comment" not in picture.info


def test_a_photo_that_lies_is_turned_upright():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    html = page(boxes((0, 0, 9, 9)), encoded=photo(3000, 1000, exif=exif))
    assert (payload_of(html)["w"], payload_of(html)["h"]) == (1000, 3000)
    assert photo_of(html).size == (427, 1280)


def test_a_small_photo_keeps_its_pixels():
    noise = Image.effect_noise((64, 48), 90).convert("RGB")
    stream = io.BytesIO()
    noise.save(stream, "PNG")
    html = page(boxes((0, 0, 9, 9)), encoded=stream.getvalue())
    assert np.array_equal(np.asarray(photo_of(html)), np.asarray(noise))


def test_bytes_that_are_no_image_are_named():
    with pytest.raises(InvalidImageError, match=r"a\.jpg cannot be shown"):
        page(boxes(), encoded=b"nothing")


def test_nothing_that_was_typed_elsewhere_becomes_html():
    hostile = f"</script>{PAYLOAD}<!--\u202e"
    names = dict.fromkeys(range(3), hostile)
    shadow = Layer(hostile, "shadow", boxes((0, 0, 9, 9)))
    html = page(boxes((0, 0, 9, 9)), shadow, labels=names, name=hostile)
    reading = assert_only_ours(html, scripts=True)
    assert reading.tags.count("script") == 2
    assert reading.tags.count("img") == 1
    assert "\u202e" not in html
    assert payload_of(html)["layers"][1]["name"] == hostile.replace("\u202e", "?")


def test_json_within_a_script_holds_no_sign_that_html_reads():
    text = script_json({"<!--": "</script><script>&\u2028"})
    assert not set(text) & set("<>&\u2028")


def test_the_output_names_no_address_but_its_own_data():
    html = page(boxes((0, 0, 9, 9)))
    assert "http:" not in html
    assert "https:" not in html
    assert "import(" not in html


def test_1000_shapes_and_all_that_is_not_the_photo_take_at_most_90_kb():
    draws = np.random.default_rng(0)
    corners = draws.uniform(0, 900, (1000, 2))
    rows = np.hstack([corners, corners + draws.uniform(20, 120, (1000, 2))])
    html = page(boxes(*rows, scores=draws.random(1000).tolist()), encoded=photo(1920, 1080))
    assert len(html.encode()) - len(payload_of(html)["photo"]) <= 90_000
