import io
import time

import numpy as np
import pytest
from PIL import ExifTags, Image

from picsellia_jupyter.display.overlay import draw, jpeg, png, upright
from picsellia_jupyter.display.palette import label_colour
from picsellia_jupyter.display.tags import Tag, draw_tags
from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Segmentation,
)
from tests.domain.rle_encoding import encode

GREY = (128, 128, 128)
NAMES = {0: "zero", 1: "one", 7: "seven"}


def photo(width: int = 640, height: int = 480) -> Image.Image:
    return Image.new("RGB", (width, height), GREY)


def boxes(*rows, classes=None, scores=None) -> Detections:
    return Detections(
        np.array(classes or [0] * len(rows), np.int64),
        np.array(scores or [0.9] * len(rows), np.float32),
        np.array(rows, np.float32).reshape(-1, 4),
    )


def one(shape) -> dict:
    return {"classes": np.array([1]), "scores": np.array([0.9], np.float32), **shape}


def coloured(picture: Image.Image, class_index: int) -> np.ndarray:
    """Rows and columns of the pixels in a class's own colour."""
    same = (np.asarray(picture) == label_colour(class_index)).all(axis=2)
    return np.argwhere(same)


def test_a_box_is_drawn_where_it_is():
    drawn = draw(photo(), boxes((100, 200, 300, 400)), NAMES, threshold=None)
    colour = label_colour(0)
    assert drawn.getpixel((100, 300)) == colour
    assert drawn.getpixel((299, 300)) == colour
    assert drawn.getpixel((300, 300)) != colour
    assert drawn.getpixel((200, 200)) == colour
    assert drawn.getpixel((200, 399)) == colour
    assert drawn.getpixel((200, 300)) == GREY
    assert drawn.getpixel((302, 300)) == GREY
    assert drawn.getpixel((97, 300)) == GREY


def test_a_large_photo_is_scaled_down_with_its_boxes():
    drawn = draw(photo(4000, 2000), boxes((1000, 500, 3000, 1500)), NAMES, threshold=None)
    assert drawn.size == (1280, 640)
    assert drawn.getpixel((320, 300)) == label_colour(0)
    assert drawn.getpixel((959, 300)) == label_colour(0)
    assert drawn.getpixel((965, 300)) == GREY


def test_a_rendering_of_the_photo_takes_coordinates_of_the_photo_itself():
    found = boxes((1000, 500, 3000, 1500))
    small = draw(photo(2000, 1000), found, NAMES, threshold=None, size=ImageSize(4000, 2000))
    assert small.size == (1280, 640)
    assert small.getpixel((320, 300)) == label_colour(0)


def test_a_tiny_photo_is_enlarged_until_tags_can_be_read():
    drawn = draw(photo(32, 16), boxes((8, 4, 24, 12)), NAMES, threshold=None)
    assert drawn.size == (320, 160)
    assert drawn.getpixel((80, 100)) == label_colour(0)


def test_only_objects_strictly_over_the_threshold_are_drawn():
    found = boxes((10, 50, 100, 140), (300, 50, 400, 140), classes=[0, 1], scores=[0.5, 0.51])
    drawn = draw(photo(), found, NAMES, threshold=0.5)
    assert not len(coloured(drawn, 0))
    assert len(coloured(drawn, 1))


def test_a_photo_without_objects_stays_as_it_is():
    nothing = draw(photo(), boxes(), NAMES, threshold=0.3)
    assert np.array_equal(np.asarray(nothing), np.asarray(photo()))


def test_the_original_is_not_drawn_on():
    original = photo()
    draw(original, boxes((100, 200, 300, 400)), NAMES, threshold=None)
    assert original.getcolors() == [(640 * 480, GREY)]


def test_boxes_at_and_beyond_the_edge_are_drawn_as_far_as_they_can_be_seen():
    found = boxes((-50, -50, 1e9, 1e9), (639, 479, 640, 480), (5, 5, 5, 5))
    assert draw(photo(), found, NAMES, threshold=None).size == (640, 480)


def test_exif_orientation_is_applied_before_drawing():
    lying = Image.new("RGB", (640, 400), GREY)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    stream = io.BytesIO()
    lying.save(stream, "JPEG", exif=exif)
    drawn = draw(Image.open(stream), boxes((100, 300, 300, 600)), NAMES, threshold=None)
    assert drawn.size == (400, 640)
    assert drawn.getpixel((100, 450)) == label_colour(0)


@pytest.mark.parametrize("save", [jpeg, png])
def test_no_metadata_of_the_photo_is_carried_over(save):
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    exif[ExifTags.Base.Artist] = "SECRET-ARTIST"
    stream = io.BytesIO()
    photo().save(stream, "JPEG", exif=exif, comment=b"SECRET-COMMENT", xmp=b"SECRET-XMP")
    opened = Image.open(stream)
    for picture in (opened, draw(opened, boxes(), NAMES, threshold=None)):
        encoded = save(picture)
        assert b"SECRET" not in encoded
        assert not Image.open(io.BytesIO(encoded)).getexif()


def test_a_polygon_is_outlined_and_tinted():
    square = np.array([[100, 100], [300, 100], [300, 300], [100, 300]], np.float32)
    drawn = draw(photo(), Segmentation(**one({"polygons": (square,)})), NAMES, threshold=None)
    assert drawn.getpixel((100, 200)) == label_colour(1)
    assert drawn.getpixel((200, 200)) not in (GREY, label_colour(1))
    assert drawn.getpixel((400, 200)) == GREY


def test_a_line_runs_through_its_points():
    path = np.array([[50, 100], [300, 100], [300, 400]], np.float32)
    drawn = draw(photo(), Lines(**one({"lines": (path,)})), NAMES, threshold=None)
    assert drawn.getpixel((60, 100)) == label_colour(1)
    assert drawn.getpixel((300, 390)) == label_colour(1)
    assert drawn.getpixel((60, 390)) == GREY


def test_a_point_is_a_dot():
    point = np.array([[200, 150]], np.float32)
    drawn = draw(photo(), Points(**one({"points": point})), NAMES, threshold=None)
    assert drawn.getpixel((200, 150)) == label_colour(1)
    assert drawn.getpixel((215, 170)) == GREY


def test_absent_keypoints_are_left_out_and_hidden_ones_are_hollow():
    skeleton = np.array([[100, 100, 2], [200, 200, 1], [300, 300, 0]], np.float32)
    drawn = draw(photo(), Keypoints(**one({"keypoints": (skeleton,)})), NAMES, threshold=None)
    assert drawn.getpixel((100, 100)) == label_colour(1)
    assert drawn.getpixel((200, 200)) == GREY
    assert len(coloured(drawn.crop((190, 190, 211, 211)), 1))
    assert drawn.crop((280, 280, 320, 320)).getcolors() == [(1600, GREY)]


def test_a_mask_is_tinted_within_its_rim():
    # 640 x 480, columns 100 to 299 of rows 120 to 359.
    inside = np.zeros((480, 640), bool)
    inside[120:360, 100:300] = True
    drawn = draw(photo(), Masks(**one({"masks": (encode(inside),)})), NAMES, threshold=None)
    assert drawn.getpixel((100, 240)) == label_colour(1)
    assert drawn.getpixel((200, 240)) not in (GREY, label_colour(1))
    assert drawn.getpixel((99, 240)) == GREY
    assert drawn.getpixel((300, 240)) == GREY


def test_a_mask_of_another_photo_is_refused():
    code = encode(np.ones((10, 10), bool))
    with pytest.raises(InvalidPredictionError, match="covers 100 pixels"):
        draw(photo(), Masks(**one({"masks": (code,)})), NAMES, threshold=None)


def test_an_empty_mask_draws_nothing_but_its_tag():
    code = encode(np.zeros((480, 640), bool))
    drawn = draw(photo(), Masks(**one({"masks": (code,)})), NAMES, threshold=None)
    assert drawn.crop((200, 100, 640, 480)).getcolors() == [(440 * 380, GREY)]


def test_a_classification_has_its_classes_below_the_photo():
    found = Classification(np.array([7, 1]), np.array([0.9, 0.1], np.float32))
    drawn = draw(photo(), found, NAMES, threshold=None)
    assert drawn.width == 640
    assert drawn.height > 480
    assert drawn.crop((0, 0, 640, 480)).getcolors() == [(640 * 480, GREY)]
    assert len(coloured(drawn, 7))
    assert len(coloured(drawn, 1))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "I", "F"])
def test_every_kind_of_photo_is_shown_in_colour(mode):
    image = Image.new("L", (400, 300), 100).convert(mode) if mode != "I;16" else deep_grey()
    drawn = draw(image, boxes((100, 100, 200, 200)), NAMES, threshold=None)
    assert drawn.mode == "RGB"
    assert len(coloured(drawn, 0))


def test_transparent_parts_are_shown_white():
    clear = Image.new("RGBA", (400, 300), (255, 0, 0, 0))
    assert upright(clear).getpixel((10, 10)) == (255, 255, 255)


def test_deep_grey_photos_keep_their_range():
    values = np.linspace(1000, 3000, 256, dtype=np.uint16)[None].repeat(10, axis=0)
    shown = np.asarray(upright(Image.fromarray(values)))
    assert shown.min() == 0
    assert shown.max() == 255


def test_tags_stay_within_the_picture():
    picture = photo(320, 240)
    spots = np.array([(0, 0, 5, 5), (315, 235, 320, 240), (-50, 100, -20, 120)], float)
    tags = [Tag("a rather long label 0.99", label_colour(index)) for index in range(3)]
    draw_tags(picture, spots, tags, size=12)
    for index in range(3):
        where = coloured(picture, index)
        height, width = np.ptp(where, axis=0) + 1
        assert width > 100
        assert height > 10


def test_tags_never_cover_one_another():
    picture = photo(320, 240)
    spots = np.array([(100, 100, 130, 130)] * 40, float)
    alone = photo(320, 240)
    draw_tags(alone, spots[:1], [Tag("seven 0.97", label_colour(0))], size=12)
    tags = [Tag("seven 0.97", label_colour(index % 12)) for index in range(40)]
    draw_tags(picture, spots, tags, size=12)
    assert len(coloured(picture, 0)) == len(coloured(alone, 0))


def test_labels_beyond_ascii_are_written_in_real_letters():
    found = boxes((100, 200, 300, 400), classes=[7])
    latin, cyrillic = (draw(photo(), found, {7: name}, threshold=None) for name in "éж")
    assert latin.tobytes() != cyrillic.tobytes()


def test_a_thousand_boxes_are_drawn_in_well_under_a_third_of_a_second():
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 1, (1000, 2)) * (1800, 1000)
    found = Detections(
        rng.integers(0, 10, 1000),
        rng.random(1000).astype(np.float32),
        np.hstack([corners, corners + rng.uniform(10, 80, (1000, 2))]).astype(np.float32),
    )
    frame = Image.fromarray(rng.integers(0, 255, (1080, 1920, 3), np.uint8))
    took = []
    for _ in range(5):
        began = time.process_time()
        draw(frame, found, NAMES, threshold=None)
        took.append(time.process_time() - began)
    assert min(took) < 0.3


def deep_grey() -> Image.Image:
    return Image.fromarray(np.full((300, 400), 30_000, np.uint16))
