"""From the photo to the model's input and back: nothing moves by more than a pixel."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from picsellia_jupyter.domain.predictions import ImageSize
from picsellia_jupyter.serving import pixels
from picsellia_jupyter.serving.heads.regions import Sampler, pixels_of
from tests.serving.test_pixels import spec, with_orientation

sides = st.integers(40, 300)
specs = st.builds(
    spec,
    st.integers(32, 320),
    st.integers(32, 320),
    st.sampled_from(["letterbox", "stretch", "none"]),
    anchor=st.sampled_from(["centre", "top_left"]),
    filter=st.just("bilinear"),
)
crops = st.builds(
    spec, st.integers(32, 320), st.integers(32, 320), st.just("crop"), crop=st.floats(0.5, 1)
)
corners = st.tuples(*[st.floats(0, 1)] * 4)


@st.composite
def painted(draw):
    """An upright photo with a white rectangle, as it comes out of the model's input."""
    width, height, into = draw(sides), draw(sides), draw(specs)
    x, y = (sorted(draw(st.tuples(st.floats(0, 1), st.floats(0, 1)))) for _ in "xy")
    box = np.rint([x[0] * width, y[0] * height, x[1] * width, y[1] * height]).astype(int)
    upright = np.zeros((height, width), dtype=np.uint8)
    upright[box[1] : box[3], box[0] : box[2]] = 255
    data = with_orientation(upright, draw(st.integers(1, 8)))
    batch, spot = pixels.to_input(pixels.decode(data, "a.png"), into)
    scale = np.array([width / spot.width, height / spot.height])
    # What is thinner than two pixels of the input may be averaged away.
    assume(bool((box[2:] - box[:2] >= 2 * np.maximum(scale, 1)).all()))
    return upright > 0, box, batch[0, 0], spot, np.maximum(scale, 1)


@given(painted())
def test_a_rectangle_painted_on_the_photo_is_found_where_it_lies(case):
    _, box, seen, spot, scale = case
    rows, columns = np.nonzero(seen > 0.5)
    found = [[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]]
    error = np.abs(spot.to_photo(np.array(found, float))[0] - box)
    assert (error <= np.tile(scale, 2) + 1e-3).all()


@given(painted())
def test_a_mask_drawn_on_the_input_covers_the_same_pixels_of_the_photo(case):
    upright, box, seen, spot, scale = case
    part = pixels_of((0, 0, *upright.shape[::-1]), spot.photo)
    mask = Sampler(seen.shape, spot.frame(), part).over(seen, 0.5)
    rows, columns = np.nonzero(mask != upright)
    # They differ at the rectangle's border only.
    near_x = np.abs(columns[:, None] + 0.5 - box[[0, 2]]).min(axis=1) <= scale[0] + 0.5
    near_y = np.abs(rows[:, None] + 0.5 - box[[1, 3]]).min(axis=1) <= scale[1] + 0.5
    assert (near_x | near_y).all()


@given(sides, sides, st.one_of(specs, crops), corners)
def test_points_map_back_exactly_from_pixels_and_from_parts_of_the_sides(
    width, height, into, where
):
    spot = pixels.place(ImageSize(width, height), into)
    points = np.array(where).reshape(2, 2) * [width, height]
    drawn = points * [spot.width / width, spot.height / height] + [spot.left, spot.top]
    parts = drawn / [spot.input.width, spot.input.height]
    assert np.abs(spot.points_to_photo(drawn) - points).max() < 1e-3
    assert np.abs(spot.in_pixels(parts) - drawn).max() < 1e-3


@pytest.mark.parametrize("cells", [(4, 8), (48, 64), (160, 90)])
def test_a_coarse_grid_is_read_as_torch_reads_it(cells):
    import torch

    grid = np.random.default_rng(1).normal(size=cells).astype(np.float32)
    size = ImageSize(300, 200)
    sampler = Sampler(cells, (0, 0, 300, 200), pixels_of((0, 0, 300, 200), size))
    read = np.concatenate([sampler.strip(grid, first) for first in sampler.strips()])
    theirs = torch.nn.functional.interpolate(
        torch.from_numpy(grid)[None, None], (200, 300), mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(read, theirs[0, 0].numpy(), atol=1e-4)


def test_a_frame_beyond_the_photo_is_read_where_the_photo_is():
    grid = np.zeros((8, 8), dtype=np.float32)
    grid[2:6, :] = 1
    size = ImageSize(80, 40)
    mask = Sampler((8, 8), (0, -20, 80, 60), pixels_of((0, -20, 80, 60), size)).over(grid, 0.5)
    assert mask.shape == (40, 80)
    assert mask.all()


def test_a_frame_off_the_photo_has_no_pixels():
    size = ImageSize(80, 40)
    left, top, right, bottom = pixels_of((100, 50, 120, 60), size)
    assert (right - left) * (bottom - top) == 0
