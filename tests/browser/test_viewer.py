"""The prediction viewer in a plain page without network: what is drawn, asserted by pixels."""

from __future__ import annotations

import json

import numpy as np
import pytest
from playwright.sync_api import expect

from picsellia_jupyter.display.palette import label_colour
from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.predictions import (
    Classification,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Segmentation,
)
from tests.browser.viewer_page import ViewerPage
from tests.browser.viewer_scenes import GREY, THREE, boxes, heads, html, near

pytestmark = pytest.mark.browser

SIZE = ImageSize(640, 480)


# What is drawn -------------------------------------------------------------------------------


def test_boxes_over_the_threshold_are_drawn_in_their_labels_colours(viewer: ViewerPage):
    viewer.show(html(THREE))
    assert near(viewer.pixel(100, 150), label_colour(0))
    assert near(viewer.pixel(400, 150), label_colour(1))
    assert near(viewer.pixel(150, 150), GREY)
    assert near(viewer.pixel(120, 140), GREY)


def test_an_outline_is_filled_and_its_edge_is_strong(viewer: ViewerPage):
    square = np.array([[100, 100], [300, 100], [300, 300], [100, 300]], np.float32)
    viewer.show(html(Segmentation(**heads(0.9), polygons=(square,))))
    assert near(viewer.pixel(100, 250), label_colour(0))
    mixed = tuple(round(0.75 * g + 0.25 * c) for g, c in zip(GREY, label_colour(0), strict=True))
    assert near(viewer.pixel(200, 250), mixed, by=10)
    assert near(viewer.pixel(400, 250), GREY)


def test_a_mask_is_decoded_and_drawn_where_it_is(viewer: ViewerPage):
    inside = np.zeros((480, 640), bool)
    inside[100:300, 200:400] = True
    inside[150:250, 250:350] = False
    codes = (rle.encode(inside, SIZE),)
    viewer.show(html(Masks(**heads(0.9, classes=[1]), masks=codes)))
    assert near(viewer.pixel(200.5, 250), label_colour(1), by=12)
    assert not near(viewer.pixel(220, 250), GREY, by=20)
    assert near(viewer.pixel(300, 200), GREY)
    assert near(viewer.pixel(190, 200), GREY)
    assert near(viewer.pixel(410, 200), GREY)


def test_lines_points_and_skeletons_are_drawn(viewer: ViewerPage):
    line = np.array([[50, 300], [600, 300]], np.float32)
    viewer.show(html(Lines(**heads(0.9), lines=(line,))))
    assert near(viewer.pixel(150, 300), label_colour(0))
    viewer.show(html(Points(**heads(0.9), points=np.array([[300, 200]], np.float32))))
    assert near(viewer.pixel(300, 200), label_colour(0))
    # A nose, two eyes, of which one is hidden, and an ear that is not there.
    face = [[100, 100, 2], [100, 300, 2], [300, 100, 1], [300, 300, 0]]
    joints = np.zeros((17, 3), np.float32)
    joints[:4] = face
    viewer.show(html(Keypoints(**heads(0.9), keypoints=(joints,))))
    assert near(viewer.pixel(100, 200), label_colour(0))
    assert near(viewer.pixel(200, 100), label_colour(0))
    assert near(viewer.pixel(200, 300), GREY)
    assert near(viewer.pixel(300, 300), GREY)
    assert near(viewer.pixel(300, 100), GREY)


def test_a_classification_lists_its_classes_and_has_no_slider(viewer: ViewerPage):
    viewer.show(html(Classification(**heads(0.75, 0.25, 0.001, classes=[1, 0, 2])), threshold=None))
    answers = viewer.page.locator(".answers")
    expect(answers).to_contain_text("bus0.75car0.25")
    expect(answers).not_to_contain_text("bicycle")
    expect(viewer.page.get_by_role("slider")).to_have_count(0)


def test_tags_do_not_lie_on_each_other(viewer: ViewerPage):
    stacked = boxes(*[(200, 200, 300, 300)] * 4, scores=[0.9, 0.8, 0.7, 0.6], classes=[0, 1, 2, 0])
    viewer.show(html(stacked))
    viewer.screenshots("viewer-stacked")
    # The first above the box, the second beside it, each on its own ground.
    assert near(viewer.pixel(201, 186), label_colour(0))
    assert near(viewer.pixel(298, 186), label_colour(1)) or near(
        viewer.pixel(201, 312), label_colour(1)
    )


# Slider and switches -------------------------------------------------------------------------


def test_the_slider_draws_what_scored_strictly_higher(viewer: ViewerPage):
    viewer.show(html(THREE))
    viewer.slide_to(0.1)
    assert near(viewer.pixel(120, 140), label_colour(2))
    viewer.slide_to(0.5)
    assert near(viewer.pixel(400, 150), GREY)
    assert near(viewer.pixel(100, 150), label_colour(0))
    viewer.slide_to(0.49)
    assert near(viewer.pixel(400, 150), label_colour(1))
    expect(viewer.page.get_by_text("2 of 3 shown")).to_be_visible()


def test_a_class_is_switched_off_and_alone(viewer: ViewerPage):
    viewer.show(html(THREE))
    viewer.button("car 1").click()
    assert near(viewer.pixel(100, 150), GREY)
    assert near(viewer.pixel(400, 150), label_colour(1))
    expect(viewer.button("car 1")).to_have_attribute("aria-pressed", "false")
    only = viewer.page.get_by_title("Only car")
    only.click()
    assert near(viewer.pixel(100, 150), label_colour(0))
    assert near(viewer.pixel(400, 150), GREY)
    only.click()
    assert near(viewer.pixel(400, 150), label_colour(1))


def test_keys_hide_shapes_and_labels(viewer: ViewerPage):
    viewer.show(html(THREE))
    assert near(viewer.pixel(102, 88), label_colour(0))
    viewer.press("l")
    assert near(viewer.pixel(102, 88), GREY)
    assert near(viewer.pixel(100, 150), label_colour(0))
    viewer.press("h")
    assert near(viewer.pixel(100, 150), GREY)
    viewer.press("h", "l")
    assert near(viewer.pixel(102, 88), label_colour(0))


# Looking at one shape ------------------------------------------------------------------------


def test_hovering_tells_of_the_smallest_shape_and_fades_the_others(viewer: ViewerPage):
    viewer.show(html(THREE, threshold=0.1))
    viewer.point_at(140, 140)
    expect(viewer.tip).to_have_text("bicycle 0.20\n40 × 40 px")  # noqa: RUF001
    assert near(viewer.pixel(160, 140), label_colour(2))
    assert not near(viewer.pixel(400, 150), label_colour(1), by=20)
    viewer.point_at(180, 180)
    expect(viewer.tip).to_have_text("car 0.90\n100 × 100 px")  # noqa: RUF001
    viewer.point_at(600, 400)
    expect(viewer.tip).to_be_empty()


def test_a_hidden_shape_is_not_found(viewer: ViewerPage):
    viewer.show(html(THREE))
    viewer.point_at(140, 140)
    expect(viewer.tip).to_contain_text("car")


def test_arrow_keys_go_from_shape_to_shape_by_score(viewer: ViewerPage):
    viewer.show(html(THREE))
    for label, key in (
        ("car", "ArrowDown"),
        ("bus", "ArrowRight"),
        ("car", "ArrowDown"),
        ("bus", "ArrowUp"),
    ):
        viewer.press(key)
        expect(viewer.tip).to_contain_text(label)
    viewer.press("Escape")
    expect(viewer.tip).to_be_empty()


def test_a_shape_is_copied_as_json(viewer: ViewerPage):
    viewer.show(html(THREE))
    viewer.point_at(350, 150)
    viewer.page.mouse.down()
    viewer.page.mouse.up()
    viewer.button("Copy shape").click()
    expect(viewer.tip).to_contain_text("copied")
    copied = json.loads(viewer.page.evaluate("navigator.clipboard.readText()"))
    assert copied == {
        "image": "street.jpg", "layer": "champion", "label": "bus", "class": 1, "score": 0.5,
        "box_xyxy": [300, 100, 400, 200],
    }  # fmt: skip
