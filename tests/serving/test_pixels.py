import contextlib
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from picsellia_jupyter.domain.errors import InvalidImageError
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.serving import pixels
from picsellia_jupyter.serving.manifest import InputSpec
from tests.serving.fakes import picture

ORIENTATION = 0x0112


def spec(width=64, height=48, resize="letterbox", channels="L", **changes):
    count = 1 if channels == "L" else 3
    values = {"scale": 255.0, "mean": (0.0,) * count, "std": (1.0,) * count, "pad": 0, **changes}
    return InputSpec(width, height, resize, channels, **values)


def encoded(image, kind="PNG", **how):
    out = io.BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


# Boxes back to the photo -------------------------------------------------------------------

sides = st.integers(1, 4000)
specs = st.builds(
    spec, st.integers(16, 1280), st.integers(16, 1280), st.sampled_from(["letterbox", "stretch"])
)


@given(sides, sides, specs, st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_a_box_drawn_on_the_input_maps_back_to_the_photo(width, height, into, corners):
    x, y = sorted(corners[:2]), sorted(corners[2:])
    box = np.array([x[0] * width, y[0] * height, x[1] * width, y[1] * height])
    spot = pixels.place(ImageSize(width, height), into)
    scale = np.array([spot.width / width, spot.height / height] * 2)
    drawn = box * scale + np.array([spot.left, spot.top] * 2)
    assert np.abs(spot.to_photo(drawn[None])[0] - box).max() < 0.5


@given(sides, sides, specs)
def test_a_photo_stays_within_the_input(width, height, into):
    spot = pixels.place(ImageSize(width, height), into)
    assert spot.left >= 0
    assert spot.top >= 0
    assert spot.left + spot.width <= into.width
    assert spot.top + spot.height <= into.height


@given(st.integers(50, 4000), st.integers(50, 4000))
def test_a_letterbox_keeps_the_ratio(width, height):
    spot = pixels.place(ImageSize(width, height), spec(640, 640))
    assert max(spot.width, spot.height) == 640
    # One side is rounded to whole pixels, which is all that the ratio may lose.
    assert abs(spot.width * height - spot.height * width) <= 0.5 * max(width, height)


def test_boxes_are_clipped_to_the_photo():
    spot = pixels.place(ImageSize(64, 24), spec())
    assert spot.to_photo(np.array([[-5.0, 0, 90, 48]])).tolist() == [[0, 0, 64, 24]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("resize", ["letterbox", "stretch"])
def test_a_bright_spot_is_found_where_it_is_on_the_upright_photo(orientation, resize):
    upright = np.zeros((120, 200), dtype=np.uint8)
    upright[30:60, 40:100] = 255
    photo = pixels.decode(with_orientation(upright, orientation), "a.png")
    batch, spot = pixels.to_input(photo, spec(320, 320, resize))
    rows, columns = np.nonzero(batch[0, 0] > 0.5)
    seen = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], float)
    assert photo.size == ImageSize(200, 120)
    # Half a pixel of the input either way, which is less than one of the photo here.
    assert np.abs(spot.to_photo(seen)[0] - [40, 30, 100, 60]).max() <= 0.5


def with_orientation(upright, orientation):
    """A PNG that EXIF turns into the given pixels."""
    undone = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = Image.fromarray(upright)
    if orientation in undone:
        image = image.transpose(undone[orientation])
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    return encoded(image, exif=exif)


# Photo to input ----------------------------------------------------------------------------


def test_pixels_are_scaled_then_normalised():
    photo = pixels.decode(encoded(Image.new("L", (64, 48), 51)), "a.png")
    batch, _ = pixels.to_input(photo, spec(mean=(0.1,), std=(0.5,)))
    assert batch.dtype == np.float32
    assert batch.shape == (1, 1, 48, 64)
    assert np.allclose(batch, (51 / 255 - 0.1) / 0.5)


def test_the_letterbox_is_padded_around_the_centre():
    photo = pixels.decode(encoded(Image.new("L", (64, 24), 255)), "a.png")
    batch, spot = pixels.to_input(photo, spec(scale=1.0, pad=7))
    assert (spot.left, spot.top, spot.width, spot.height) == (0, 12, 64, 24)
    assert set(batch[0, 0, :12].ravel()) == set(batch[0, 0, 36:].ravel()) == {7.0}
    assert set(batch[0, 0, 12:36].ravel()) == {255.0}


@pytest.mark.parametrize(("channels", "order"), [("RGB", [10, 20, 30]), ("BGR", [30, 20, 10])])
def test_channels_come_in_the_order_asked_for(channels, order):
    photo = pixels.decode(encoded(Image.new("RGB", (64, 48), (10, 20, 30))), "a.png")
    batch, _ = pixels.to_input(photo, spec(channels=channels, scale=1.0))
    assert batch[0, :, 5, 5].tolist() == order


def test_resizing_is_pillows_bilinear():
    photo = pixels.decode(picture(200, 150), "a.jpg")
    batch, _ = pixels.to_input(photo, spec(resize="stretch", channels="RGB", scale=1.0))
    wanted = photo.image.resize((64, 48), Image.Resampling.BILINEAR)
    assert (batch[0].transpose(1, 2, 0) == np.asarray(wanted)).all()


@pytest.mark.parametrize(
    ("size", "resized", "left", "top"),
    [
        ((500, 375), (341, 256), 58, 16),  # as torchvision: Resize(256), CenterCrop(224)
        ((375, 500), (256, 341), 16, 58),
        ((333, 333), (256, 256), 16, 16),
        ((40, 30), (341, 256), 58, 16),
    ],
)
def test_a_centre_crop_is_torchvisions(size, resized, left, top):
    photo = pixels.decode(picture(*size), "a.jpg")
    into = spec(224, 224, "crop", "RGB", scale=1.0, crop=224 / 256)
    batch, spot = pixels.to_input(photo, into)
    whole = photo.image.resize(resized, Image.Resampling.BILINEAR)
    wanted = whole.crop((left, top, left + 224, top + 224))
    assert (batch[0].transpose(1, 2, 0) == np.asarray(wanted)).all()
    assert (spot.left, spot.top, spot.width, spot.height) == (-left, -top, *resized)


frames = st.integers(40, 400)


@given(frames, frames, frames, frames, st.floats(0.5, 1))
def test_a_crop_fills_the_input_whatever_the_photo(width, height, across, down, share):
    spot = pixels.place(ImageSize(width, height), spec(across, down, "crop", crop=share))
    assert spot.left <= 0
    assert spot.top <= 0
    assert spot.left + spot.width >= across
    assert spot.top + spot.height >= down


def test_a_photo_that_is_too_long_to_crop_is_refused():
    with pytest.raises(InvalidImageError, match="of 40000 x 10 pixels is too long") as caught:
        pixels.place(ImageSize(40_000, 10), spec(224, 224, "crop"))
    assert "Cut it" in caught.value.remedy


def test_sixteen_bit_grey_is_scaled_not_clipped():
    levels = np.full((48, 64), 0x3300, dtype=np.uint16)
    photo = pixels.decode(encoded(Image.fromarray(levels)), "a.png")
    batch, _ = pixels.to_input(photo, spec(scale=1.0))
    assert set(batch.ravel()) == {0x33}


@pytest.mark.parametrize("channels", ["L", "RGB"])
def test_a_photo_in_lab_becomes_what_the_model_takes(channels):
    white = Image.merge("LAB", [Image.new("L", (64, 48), level) for level in (255, 128, 128)])
    photo = pixels.decode(encoded(white, "TIFF"), "a.tif")
    batch, _ = pixels.to_input(photo, spec(channels=channels, scale=1.0))
    assert batch.min() >= 250


@pytest.mark.parametrize("mode", ["1", "P", "LA", "RGBA", "CMYK"])
def test_every_common_mode_becomes_colour(mode):
    kind = "JPEG" if mode == "CMYK" else "PNG"
    photo = pixels.decode(encoded(Image.new("RGB", (64, 48), "white").convert(mode), kind), "a")
    batch, _ = pixels.to_input(photo, spec(channels="RGB", scale=1.0))
    assert batch.min() >= 250


# What is recorded --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "content_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", None), ("BMP", None), ("TIFF", None)],
)
def test_the_content_type_is_that_of_the_content(kind, content_type):
    assert pixels.decode(picture(kind=kind), "a.jpg").content_type == content_type


def test_another_format_is_re_encoded_without_loss():
    photo = pixels.decode(picture(kind="BMP"), "a.bmp")
    again = pixels.decode(pixels.as_png(photo), "a.png")
    assert again.content_type == "image/png"
    assert (np.asarray(again.image) == np.asarray(photo.image)).all()


# What is refused ---------------------------------------------------------------------------


def refusal(data, name="scan.jpg"):
    with pytest.raises(InvalidImageError) as caught:
        pixels.decode(data, name)
    assert repr(name) in caught.value.fact
    assert caught.value.remedy
    return caught.value.fact


def test_text_is_refused_by_name():
    assert "cannot be read as an image (unknown format)" in refusal(b"hello")


def test_nothing_is_refused():
    assert "cannot be read" in refusal(b"")


def test_a_truncated_photo_is_refused():
    assert "cannot be read" in refusal(picture(400, 300)[:2000])


def test_a_format_off_the_list_is_refused():
    assert "unknown format" in refusal(picture(kind="GIF"))


def test_a_picture_bomb_is_refused_before_it_is_decoded():
    small = encoded(Image.new("1", (9000, 9000)))
    assert len(small) < 100_000
    assert "9000 x 9000 pixels" in refusal(small)


def test_a_bomb_that_pillow_itself_refuses_is_refused():
    assert "cannot be read" in refusal(encoded(Image.new("1", (20000, 20000))))


def test_a_long_file_is_refused():
    assert "33 MiB" in refusal(bytes(33 * 1024 * 1024))


def test_a_file_that_trips_the_decoder_itself_is_refused():
    photo = bytearray(picture(kind="TIFF"))
    photo[photo.index(b"\x11\x01") + 2] = 11  # where the pixels lie, as a fraction
    assert "cannot be read" in refusal(bytes(photo))


@given(st.data())
def test_a_mutated_photo_is_read_or_refused_but_raises_nothing_else(data):
    kind = data.draw(st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "TIFF"]))
    photo = bytearray(picture(24, 18, kind))
    for at in data.draw(st.lists(st.integers(0, len(photo) - 1), min_size=1, max_size=12)):
        photo[at] = data.draw(st.integers(0, 255))
    with contextlib.suppress(InvalidImageError):
        batch, _ = pixels.to_input(pixels.decode(bytes(photo), "a"), spec())
        assert batch.shape == (1, 1, 48, 64)


def test_a_jpeg_of_very_many_scans_is_refused_and_an_ordinary_progressive_one_is_not():
    jpeg = encoded(Image.new("RGB", (64, 48), "white"), "JPEG", progressive=True)
    assert pixels.decode(jpeg, "a.jpg").size == ImageSize(64, 48)
    last = jpeg[jpeg.rindex(b"\xff\xda") : -2]
    with pytest.raises(InvalidImageError, match="a progressive JPEG of 110 scans") as caught:
        pixels.decode(jpeg[:-2] + last * 100 + jpeg[-2:], "a.jpg")
    assert "at most 50" in caught.value.remedy
