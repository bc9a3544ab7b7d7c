import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.domain.rle import decode
from tests.domain.rle_encoding import encode


@given(
    st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
        lambda shape: arrays.arrays(np.bool_, shape)
    )
)
def test_every_mask_comes_back_as_it_was_encoded(mask):
    height, width = mask.shape
    assert (decode(encode(mask), ImageSize(width, height)) == mask).all()


def test_large_runs_take_several_signs():
    mask = np.zeros((700, 900), bool)
    mask[100:600, 200:800] = True
    assert (decode(encode(mask), ImageSize(900, 700)) == mask).all()


def test_a_code_written_by_pycocotools_is_read():
    # pycocotools.mask.encode of a 4 x 3 mask whose middle column is set.
    mask = np.array([[0, 1, 0]] * 4, bool)
    assert (decode("444", ImageSize(3, 4)) == mask).all()


def test_a_mask_of_another_size_is_refused_with_both_sizes():
    code = encode(np.ones((4, 4), bool))
    with pytest.raises(InvalidPredictionError, match=r"covers 16 pixels.* 5 x 4 = 20"):
        decode(code, ImageSize(5, 4))


@pytest.mark.parametrize("code", ["é", "44\x00", "o" * 10_000, "o" * 10_000 + "0", "P", "04O"])
def test_a_broken_code_is_refused(code):
    with pytest.raises(InvalidPredictionError, match=r"A mask's code"):
        decode(code, ImageSize(4, 3))


masks = st.tuples(st.integers(1, 40), st.integers(1, 40)).flatmap(
    lambda shape: arrays.arrays(np.bool_, shape)
)


@given(masks)
def test_a_mask_is_encoded_as_pixel_by_pixel(mask):
    height, width = mask.shape
    assert rle.encode(mask, ImageSize(width, height)) == encode(mask)


@given(masks, *[st.integers(0, 7)] * 4)
def test_a_part_of_a_photo_is_encoded_as_the_whole(part, left, top, right, bottom):
    whole = np.pad(part, ((top, bottom), (left, right)))
    size = ImageSize(whole.shape[1], whole.shape[0])
    assert rle.encode(part, size, left=left, top=top) == encode(whole)


@given(masks)
def test_our_code_is_pycocotools_code(mask):
    coco = pytest.importorskip("pycocotools.mask")
    height, width = mask.shape
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    assert rle.encode(mask, ImageSize(width, height)) == theirs["counts"].decode()


def test_a_code_is_checked_without_making_pixels_of_it():
    with pytest.raises(InvalidPredictionError, match="A mask's code"):
        rle.check("444", ImageSize(9, 9))
    rle.check("444", ImageSize(3, 4))
