"""Outlines of masks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from picsellia_jupyter.serving.heads.outlines import area, outlines, simplified

masks = st.tuples(st.integers(1, 14), st.integers(1, 14)).flatmap(
    lambda shape: arrays.arrays(np.bool_, shape)
)


def filled(polygon, shape):
    """Pixels whose centre lies in a polygon, by counting what a ray to the right crosses."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    inside = np.zeros(shape, bool)
    for (x1, y1), (x2, y2) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if y1 != y2:
            crosses = (y1 > y) != (y2 > y)
            inside ^= crosses & (x < x1 + (y - y1) * (x2 - x1) / (y2 - y1))
    return inside


@given(masks)
def test_every_region_is_outlined_with_its_holes_filled(mask):
    labels, count = ndimage.label(mask)
    regions = [
        ndimage.binary_fill_holes(labels == label, structure=np.ones((3, 3)))
        for label in range(1, count + 1)
    ]
    drawn = [filled(outline, mask.shape) for outline in outlines(mask)]
    assert sorted(r.tobytes() for r in regions) == sorted(d.tobytes() for d in drawn)


@given(masks)
def test_the_largest_comes_first_and_runs_clockwise(mask):
    areas = [area(outline) for outline in outlines(mask)]
    assert areas == sorted(areas, reverse=True)
    assert all(a > 0 for a in areas)


@given(masks)
def test_fewer_corners_still_make_a_polygon(mask):
    for outline in outlines(mask):
        fewer = simplified(outline, within=1.0)
        assert 3 <= len(fewer) <= len(outline)
        assert area(fewer) > 0


def test_a_rectangle_has_four_corners():
    mask = np.zeros((9, 9), bool)
    mask[2:5, 3:8] = True
    (outline,) = outlines(mask)
    assert sorted(outline.tolist()) == [[3, 2], [3, 5], [8, 2], [8, 5]]


def test_nothing_has_no_outline():
    assert outlines(np.zeros((4, 4), bool)) == []
    assert outlines(np.zeros((0, 4), bool)) == []


def test_a_disc_keeps_its_shape_with_few_corners():
    y, x = np.mgrid[:200, :200]
    disc = np.hypot(x - 100, y - 90) < 70
    fewer = simplified(outlines(disc)[0], within=1.0)
    again = filled(fewer, disc.shape)
    assert len(fewer) < 60
    assert (again & disc).sum() / (again | disc).sum() > 0.97
