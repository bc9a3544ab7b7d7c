"""Photos decoded and resized the fast way: the very pixels that Pillow makes."""

import dataclasses
import io
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from picsellia_jupyter.serving import jpegs, pixels, resampling
from picsellia_jupyter.serving.manifest import InputSpec

ORIENTATION = 0x0112
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def spec(width=320, height=320, resize="stretch", channels="RGB", **changes):
    values = {"scale": 255.0, "mean": MEAN, "std": STD, "pad": 114, **changes}
    if channels == "L":
        values.update(mean=MEAN[:1], std=STD[:1])
    return InputSpec(width, height, resize, channels, **values)


def noise(width, height, mode="RGB", seed=0):
    """Coarse shapes under fine noise, as a photo has them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3), dtype=np.uint8)
    smooth = np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))
    noisy = smooth + rng.normal(0, 12, (height, width, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).convert(mode)


def jpeg(image, **how):
    out = io.BytesIO()
    image.save(out, "JPEG", **{"quality": 85, **how})
    return out.getvalue()


def by_pillow(data, wanted):
    """The model's input as Pillow and three passes of floats make it."""
    photo = pixels.Photo.of(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    spot = pixels.place(photo.size, wanted)
    mode = "L" if wanted.channels == "L" else "RGB"
    resized = photo.image.convert(mode).resize((spot.width, spot.height), Image.Resampling.BILINEAR)
    grey = wanted.pad if mode == "L" else (wanted.pad,) * 3
    canvas = Image.new(mode, (wanted.width, wanted.height), grey)
    canvas.paste(resized, (spot.left, spot.top))
    values = np.asarray(canvas, dtype=np.float32).reshape(wanted.height, wanted.width, -1)
    values = values[:, :, ::-1] if wanted.channels == "BGR" else values
    mean, std = (np.array(one, dtype=np.float32) for one in (wanted.mean, wanted.std))
    return ((values / np.float32(wanted.scale) - mean) / std).transpose(2, 0, 1)[None]


def assert_same(data, wanted):
    made, _ = pixels.to_input(pixels.decode(data, "a.jpg", wanted), wanted)
    assert made.flags.c_contiguous
    assert (made == by_pillow(data, wanted)).all()


def is_fast(data):
    return jpegs.decode(data, Image.open(io.BytesIO(data))) is not None


@pytest.fixture(params=["with torch", "without torch"])
def torch_or_not(request, monkeypatch):
    if request.param == "with torch":
        pytest.importorskip("torch")
    else:
        monkeypatch.delitem(sys.modules, "torch", raising=False)


SIZES = [
    (640, 480), (480, 640), (320, 320), (641, 333), (1920, 1080), (1280, 720), (500, 375),
    (333, 500), (97, 1203), (17, 9), (1, 1),
]  # fmt: skip


@pytest.mark.usefixtures("torch_or_not")
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_the_models_input_is_what_pillow_makes(size, resize):
    data = jpeg(noise(*size))
    assert is_fast(data)
    for channels in ("RGB", "BGR", "L"):
        assert_same(data, spec(resize=resize, channels=channels))


@pytest.mark.parametrize("scale", [255.0, 127.5, 1.0])
@pytest.mark.parametrize("mean", [0.0, 0.485, 1.0])
@pytest.mark.parametrize("std", [1.0, 0.229])
def test_every_level_is_normalised_as_by_three_passes_of_floats(scale, mean, std):
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    photo = pixels.Photo.of(Image.fromarray(levels))
    wanted = spec(16, 16, channels="L", resize="none", scale=scale)
    wanted = dataclasses.replace(wanted, mean=(mean,), std=(std,))
    made, _ = pixels.to_input(photo, wanted)
    f = np.float32
    assert (made[0, 0] == (levels.astype(f) / f(scale) - f(mean)) / f(std)).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_photo_is_what_pillow_makes(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = jpeg(noise(200, 120), exif=exif)
    assert is_fast(data)
    assert_same(data, spec(resize="letterbox"))


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("size", [(640, 480), (131, 77)])
def test_every_subsampling_is_decoded_as_by_pillow(subsampling, size):
    data = jpeg(noise(*size), subsampling=subsampling)
    assert is_fast(data)
    assert_same(data, spec())


@pytest.mark.parametrize("channels", ["RGB", "L"])
def test_a_grey_photo_is_what_pillow_makes(channels):
    data = jpeg(noise(300, 200, "L"))
    assert is_fast(data)
    assert_same(data, spec(channels=channels))


@pytest.mark.parametrize(
    ("mode", "how"), [("RGB", {"progressive": True}), ("CMYK", {}), ("RGB", {"keep_rgb": True})]
)
def test_a_rare_jpeg_goes_through_pillow(mode, how):
    data = jpeg(noise(200, 100, mode), **how)
    assert not is_fast(data)
    assert_same(data, spec())


def test_a_photo_that_breaks_off_is_left_to_pillow_to_refuse():
    assert not is_fast(jpeg(noise(400, 300))[:4000])


def test_without_its_decoder_a_photo_goes_through_pillow(monkeypatch):
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    data = jpeg(noise(200, 100))
    assert not is_fast(data)
    assert_same(data, spec())


# Torch's resizing --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [(640, 320), (480, 320), (1920, 640), (1280, 640), (320, 640), (500, 300), (1, 7)],
)
def test_ratios_of_small_numbers_round_alike(before, after):
    assert resampling.rounds_alike(before, after)


@pytest.mark.parametrize(("before", "after"), [(641, 320), (800, 224), (3000, 640), (333, 224)])
def test_ratios_whose_weights_may_round_otherwise_are_left_to_pillow(before, after):
    assert not resampling.rounds_alike(before, after)


@settings(max_examples=40)
@given(st.integers(1, 400), st.integers(1, 12), st.integers(1, 16), st.integers(0, 99))
def test_where_they_round_alike_torch_resizes_as_pillow_does(times, p, q, seed):
    pytest.importorskip("torch")
    before, after = max(1, times * p % 2000), max(1, times * q % 1000)
    if not resampling.rounds_alike(before, after):
        return
    rng = np.random.default_rng(seed)
    for levels in ([0, 255], [0, 1, 127, 128, 254, 255], range(256)):
        given_ = rng.choice(levels, (24, before, 3)).astype(np.uint8)
        wanted = Image.fromarray(given_).resize((after, 24), Image.Resampling.BILINEAR)
        assert (resampling.resize(given_, (after, 24)) == np.asarray(wanted)).all()


ALONE = """
import sys, threading
from picsellia_jupyter.serving.resampling import Torch
torch = Torch(after=3)
sides = (640, 480), (320, 320)
said = [torch.can_resize(*sides), torch.can_resize(*sides), "torch" in sys.modules]
said.append(torch.can_resize((641, 480), (320, 320)))
said.append(torch.can_resize(*sides))
[one.join() for one in threading.enumerate() if one.name == "import torch"]
print([*said, torch.can_resize(*sides)])
"""


def test_torch_is_loaded_for_resizing_only_after_many_photos_and_beside_them():
    pytest.importorskip("torch")
    ran = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[False, False, False, False, False, True]"


def test_without_torch_pillow_resizes(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    torch = resampling.Torch(after=1)
    assert not torch.can_resize((640, 480), (320, 320))
    assert not torch.can_resize((640, 480), (320, 320))


# Scaled decoding ---------------------------------------------------------------------------


def test_a_large_photo_is_decoded_smaller_only_where_the_version_says_so():
    data = jpeg(noise(1600, 1200))
    whole = pixels.decode(data, "a", spec(resize="letterbox"))
    small = pixels.decode(data, "a", spec(resize="letterbox", decode="scaled"))
    assert whole.image.size == (1600, 1200)
    assert small.image.size == (400, 300)
    assert small.size == whole.size


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_photo_decoded_smaller_lies_where_the_whole_one_does(orientation):
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = jpeg(noise(1600, 1200), exif=exif)
    whole, scaled = spec(resize="letterbox"), spec(resize="letterbox", decode="scaled")
    wanted, where = pixels.to_input(pixels.decode(data, "a", whole), whole)
    made, spot = pixels.to_input(pixels.decode(data, "a", scaled), scaled)
    assert spot == where
    assert np.abs(made - wanted).mean() < 0.05
