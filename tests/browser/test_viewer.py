"""The prediction viewer in a plain page without network: what is drawn, asserted by pixels."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect

from picsellia_jupyter.display.palette import label_colour
from picsellia_jupyter.display.viewer import Layer, viewer_html
from picsellia_jupyter.domain import rle
from picsellia_jupyter.domain.predictions import (
    Classification,
    Detections,
    ImageSize,
    Keypoints,
    Lines,
    Masks,
    Points,
    Prediction,
    Segmentation,
)
from tests.browser.viewer_page import ViewerPage

pytestmark = pytest.mark.browser

NAMES = {0: "car", 1: "bus", 2: "bicycle"}
GREY = (128, 128, 128)
SIZE = ImageSize(640, 480)


@pytest.fixture
def viewer(chromium: Browser, tmp_path: Path) -> Iterator[ViewerPage]:
    page = ViewerPage(chromium, tmp_path)
    yield page
    page.context.close()
    assert page.complaints == []


def photo() -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (640, 480), GREY).save(stream, "JPEG")
    return stream.getvalue()


def heads(*scores: float, classes=None) -> dict:
    return {
        "classes": np.array(classes or [0] * len(scores), np.int64),
        "scores": np.array(scores, np.float32),
    }


def boxes(*rows, scores=None, classes=None) -> Detections:
    found = heads(*(scores or [0.9] * len(rows)), classes=classes)
    return Detections(**found, boxes_xyxy=np.array(rows, np.float32).reshape(-1, 4))


def html(found: Prediction, *more: Layer, threshold: float | None = 0.3, **options) -> str:
    given = {"name": "street.jpg", "alt": "a street", "caption": "street.jpg"} | options
    layers = [Layer("champion", "champion", found), *more]
    return viewer_html(photo(), layers, NAMES, threshold=threshold, **given)


def near(seen: tuple[int, int, int], wanted: tuple[int, int, int], *, by: int = 6) -> bool:
    return max(abs(a - b) for a, b in zip(seen, wanted, strict=True)) <= by


THREE = boxes(
    (100, 100, 200, 200), (300, 100, 400, 200), (120, 120, 160, 160),
    scores=[0.9, 0.5, 0.2], classes=[0, 1, 2],
)  # fmt: skip


def truth(*rows, classes=None) -> Layer:
    return Layer("ground truth", "truth", boxes(*rows, classes=classes))


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
    joints = np.array([[100, 100, 2], [100, 300, 2], [300, 300, 0], [300, 100, 1]], np.float32)
    found = Keypoints(**heads(0.9), keypoints=(joints,))
    viewer.show(html(found, edges={0: [(0, 1), (1, 2), (0, 3)]}))
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
    viewer.screenshots("viewer-classification")


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


# Zoom ----------------------------------------------------------------------------------------


def test_ctrl_and_the_wheel_zoom_about_the_pointer_and_a_wheel_alone_scrolls(viewer: ViewerPage):
    viewer.show(html(THREE), body="<div style='height:3000px'></div>")
    viewer.point_at(100, 150)
    viewer.page.mouse.wheel(0, 30)
    viewer.page.wait_for_function("scrollY > 0")
    assert near(viewer.pixel(100, 150), label_colour(0))
    viewer.page.evaluate("scrollTo(0, 0)")
    viewer.point_at(100, 150)
    viewer.page.keyboard.down("Control")
    viewer.page.mouse.wheel(0, -400)
    viewer.page.keyboard.up("Control")
    viewer.point_at(600, 470)
    # e² as large: what was 20 pixels to the right is now 148 away, the edge has stayed.
    assert near(viewer.pixel(100, 150), label_colour(0))
    assert near(viewer.pixel(400, 150), GREY)
    assert viewer.page.evaluate("scrollY") == 0


def test_a_drag_pans_and_a_double_click_resets(viewer: ViewerPage):
    viewer.show(html(THREE))
    viewer.press("+", "+")
    assert not near(viewer.pixel(100, 150), label_colour(0))
    before = viewer.canvas.screenshot()
    viewer.point_at(300, 300)
    viewer.page.mouse.down()
    viewer.point_at(200, 250)
    viewer.page.mouse.up()
    viewer.point_at(630, 470)
    assert viewer.canvas.screenshot() != before
    viewer.canvas.dblclick(position={"x": 5, "y": 5})
    assert near(viewer.pixel(100, 150), label_colour(0))


# Comparing -----------------------------------------------------------------------------------

SHADOW = Layer("shadow", "shadow", boxes((100, 300, 200, 400), scores=[0.8], classes=[1]))


def test_side_by_side_each_layer_has_its_pane_and_zoom_is_linked(viewer: ViewerPage):
    viewer.show(html(THREE, SHADOW))
    viewer.button("Side by side").click()
    viewer.point_at(1270, 10, width=1280)
    assert near(viewer.pixel(100, 150, width=1280), label_colour(0), by=20)
    assert near(viewer.pixel(740, 150, width=1280), GREY)
    assert near(viewer.pixel(100, 350, width=1280), GREY)
    edge = [viewer.pixel(740, y, width=1280) for y in range(310, 390)]
    assert any(near(seen, label_colour(1), by=20) for seen in edge)
    viewer.screenshots("viewer-side-by-side")
    viewer.button("+").click()
    viewer.settle()
    left, right = (viewer.pixel(x, 440, width=1280) for x in (300, 940))
    assert near(left, right)


def test_swiping_shows_one_layer_on_each_side(viewer: ViewerPage):
    viewer.show(html(THREE, SHADOW))
    viewer.button("Swipe").click()
    viewer.point_at(600, 470)
    assert near(viewer.pixel(100, 150), label_colour(0))
    assert near(viewer.pixel(150, 300), GREY)
    slider = viewer.page.get_by_role("slider", name="Swipe")
    slider.fill("0")
    assert near(viewer.pixel(100, 150), GREY)
    assert any(near(viewer.pixel(150 + x, 300), label_colour(1)) for x in range(20))
    slider.fill("0.5")
    viewer.point_at(320, 240)
    viewer.page.mouse.down()
    viewer.point_at(200, 240)
    viewer.page.mouse.up()
    assert near(viewer.pixel(400, 150), GREY)
    viewer.screenshots("viewer-swipe")


def test_a_layer_is_switched_off(viewer: ViewerPage):
    viewer.show(html(THREE, SHADOW))
    viewer.button("champion").click()
    assert near(viewer.pixel(100, 150), GREY)


def test_figures_move_with_the_slider_and_errors_have_colours(viewer: ViewerPage):
    layer = truth((100, 100, 200, 190), (500, 300, 600, 400), classes=[0, 1])
    viewer.show(html(THREE, layer))
    expect(
        viewer.page.get_by_text("precision 0.50 · recall 0.50 · F1 0.50 · 1 TP, 1 FP, 1 FN")
    ).to_be_visible()
    viewer.slide_to(0.6)
    expect(
        viewer.page.get_by_text("precision 1.00 · recall 0.50 · F1 0.67 · 1 TP, 0 FP, 1 FN")
    ).to_be_visible()
    viewer.slide_to(0.95)
    expect(viewer.page.get_by_text("precision – · recall 0.00 · F1 0.00")).to_be_visible()  # noqa: RUF001
    viewer.slide_to(0.3)
    viewer.button("Errors").click()
    assert near(viewer.pixel(100, 150), (0, 114, 178))
    assert near(viewer.pixel(400, 150), (213, 94, 0))
    assert any(near(viewer.pixel(600, y), (240, 228, 66)) for y in range(340, 360))
    viewer.screenshots("viewer-errors")


def test_hovering_tells_the_match_and_leads_a_line_to_it(viewer: ViewerPage):
    viewer.show(
        html(boxes((100, 100, 200, 200), (300, 300, 340, 340)), truth((100, 100, 200, 260)))
    )
    viewer.point_at(120, 120)
    expect(viewer.tip).to_have_text("car 0.90 · champion\n100 × 100 px\nIoU 0.62 with car")  # noqa: RUF001
    line = [viewer.pixel(150, y) for y in range(150, 180)]
    assert any(near(seen, (255, 255, 255), by=40) for seen in line)
    viewer.point_at(320, 320)
    expect(viewer.tip).to_contain_text("no match in ground truth")


# What leaves it ------------------------------------------------------------------------------


def test_the_picture_is_saved_as_large_as_it_was_sent_with_what_is_shown(viewer: ViewerPage):
    viewer.show(html(THREE))
    viewer.press("+", "+", "l")
    with viewer.page.expect_download() as saving:
        viewer.button("Save PNG").click()
    assert saving.value.suggested_filename == "street-predictions.png"
    saved = Image.open(saving.value.path()).convert("RGB")
    assert saved.size == (640, 480)
    assert near(saved.getpixel((100, 150)), label_colour(0))
    assert near(saved.getpixel((399, 150)), label_colour(1))
    assert near(saved.getpixel((120, 140)), GREY)


def test_two_outputs_on_a_page_do_not_disturb_each_other(viewer: ViewerPage):
    viewer.show(html(THREE), html(boxes((10, 10, 50, 50)), threshold=0.95))
    assert viewer.page.locator("canvas").count() == 2
    viewer.page.get_by_label("Confidence").first.fill("0.95")
    viewer.settle()
    assert near(viewer.pixel(100, 150), GREY)
    assert viewer.page.get_by_text("0 of 1 shown").count() == 1


def test_labels_are_text_whatever_they_say(viewer: ViewerPage):
    hostile = (
        "<img src=x onerror=\"document.title='run'\"></script><script>document.title='run'</script>"
    )
    page = viewer_html(
        photo(), [Layer(hostile, "champion", THREE), Layer(hostile, "shadow", THREE)],
        dict.fromkeys(range(3), hostile), threshold=0.3, name=hostile, alt=hostile, caption=hostile,
    )  # fmt: skip
    viewer.show(page)
    viewer.point_at(140, 140)
    expect(viewer.tip).to_contain_text("<img src=x")
    assert viewer.page.title() == "Viewer"
    assert viewer.page.locator("img[src=x]").count() == 0
