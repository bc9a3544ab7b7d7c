import numpy as np
import pytest

from picsellia_jupyter.demo.evaluation import overlaps
from picsellia_jupyter.demo.pages import (
    DIGIT_HEIGHT,
    SIZES,
    compose_digit,
    compose_page,
)
from picsellia_jupyter.demo.scans import load_scans, split_scans

SEEDS = range(12)


@pytest.fixture(scope="module")
def scans():
    return split_scans(load_scans())["validation"]


@pytest.fixture(scope="module")
def pages(scans):
    return [compose_page(scans, seed) for seed in SEEDS]


def test_the_same_seed_gives_the_same_page(scans, pages):
    again = compose_page(scans, 3)

    assert again.image.tobytes() == pages[3].image.tobytes()
    np.testing.assert_array_equal(again.truth.boxes_xyxy, pages[3].truth.boxes_xyxy)
    np.testing.assert_array_equal(again.truth.classes, pages[3].truth.classes)


def test_another_seed_gives_another_page(pages):
    assert len({page.image.tobytes() for page in pages}) == len(pages)


def test_pages_are_landscape_portrait_and_square():
    shapes = {np.sign(width - height) for width, height in SIZES}

    assert shapes == {-1, 0, 1}


def test_boxes_lie_inside_their_page(pages):
    for page in pages:
        boxes = page.truth.boxes_xyxy
        assert (boxes >= 0).all()
        assert (boxes[:, 2:] <= page.image.size).all()


def test_digits_are_as_tall_as_promised(pages):
    heights = np.concatenate([np.diff(p.truth.boxes_xyxy[:, 1::2], axis=1) for p in pages])

    assert heights.min() >= DIGIT_HEIGHT[0] - 2
    assert heights.max() <= DIGIT_HEIGHT[1] + 2


def test_every_box_encloses_dark_ink_that_reaches_its_four_sides(pages):
    for page in pages:
        grey = np.asarray(page.image.convert("L"), np.float32)
        paper = np.median(grey)
        for left, top, right, bottom in page.truth.boxes_xyxy.astype(int):
            inked = grey[top:bottom, left:right] < paper - 18
            assert grey[top:bottom, left:right].min() < paper - 60
            sides = (inked[:2], inked[-2:], inked[:, :2], inked[:, -2:])
            assert all(side.any() for side in sides)


def test_digits_hardly_overlap(pages):
    for page in pages:
        overlap = overlaps(page.truth.boxes_xyxy, page.truth.boxes_xyxy)
        np.fill_diagonal(overlap, 0)
        assert overlap.max() < 0.1


def test_only_labels_of_the_given_scans_are_written(scans):
    sevens = scans.take(np.flatnonzero(scans.labels == 7))

    page = compose_page(sevens, 0)

    assert set(page.truth.classes.tolist()) == {7}


def test_a_single_digit_is_a_square_picture_that_depends_on_its_seed(scans):
    one, same, other = (compose_digit(scans, 5, seed, side=80) for seed in (0, 0, 1))

    assert one.size == (80, 80)
    assert one.tobytes() == same.tobytes() != other.tobytes()
