"""What the viewer looks like on a photograph: each type of prediction, each way to look at it."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from picsellia_jupyter.display.palette import label_colour
from picsellia_jupyter.display.viewer import Layer
from picsellia_jupyter.domain.predictions import Detections
from tests.browser.viewer_page import ViewerPage
from tests.browser.viewer_scenes import near
from tests.browser.viewer_types import NAMES, PLACES, SIZE, all_types, boxes, portrait
from tests.display.one_image import viewer_html

pytestmark = pytest.mark.browser

COLUMN = "display:inline-block;vertical-align:top;width:380px;margin:0 16px 16px 0"
WIDTH = SIZE.width


def html(found, *more: Layer, threshold: float | None = 0.3) -> str:
    layers = [Layer("champion", "champion", found), *more]
    return viewer_html(portrait(), layers, NAMES, threshold=threshold, name="portrait.jpg")


def test_each_type_is_drawn_on_a_photograph(viewer: ViewerPage):
    viewer.page.set_viewport_size({"width": 1640, "height": 900})
    types = all_types()
    viewer.show(*(f'<div style="{COLUMN}">{html(found)}</div>' for found in types.values()))

    outputs = viewer.page.locator(".pxj-viewer")
    for output, kind in zip(outputs.all(), types, strict=True):
        canvas = output.locator("canvas")
        expect(canvas).not_to_have_js_property("width", 300)
        if kind in PLACES:
            places, label = PLACES[kind]
            drawn = viewer.pixels(places, width=WIDTH, canvas=canvas)
            assert any(near(seen, label_colour(label), by=40) for seen in drawn), kind
    expect(outputs.last.locator(".answers")).to_contain_text("person0.93face0.05cap0.02")
    viewer.screenshots("viewer-types")


def test_an_image_is_looked_at_in_each_way(viewer: ViewerPage):
    viewer.show(html(boxes()))
    viewer.screenshots("viewer")
    viewer.point_at(200, 200, width=WIDTH)
    expect(viewer.tip).to_contain_text("face 0.96")
    viewer.screenshots("viewer-hover")
    viewer.slide_to(0.8)
    viewer.button("cap 1").click()
    expect(viewer.page.get_by_text("1 of 4 shown")).to_be_visible()
    viewer.screenshots("viewer-slider-and-switches")
    viewer.press("+", "+", "+")
    # The middle stays; the right edge of the face, 64 pixels from it, is 216 pixels away.
    assert near(viewer.pixel(256 + 216, 200, width=WIDTH), label_colour(0), by=60)
    viewer.screenshots("viewer-zoom")


def test_layers_are_compared_in_each_way(viewer: ViewerPage):
    rows = boxes().boxes_xyxy
    shadow = Detections(boxes().classes[:3], boxes().scores[:3], rows[:3] + 9)
    truth = Detections(boxes().classes[1:], boxes().scores[1:], rows[1:] - 6)
    viewer.show(
        html(boxes(), Layer("shadow", "shadow", shadow), Layer("ground truth", "truth", truth))
    )
    viewer.screenshots("viewer-overlay")
    viewer.point_at(300, 60, width=WIDTH)
    expect(viewer.tip).to_contain_text("cap 0.87 · champion\n190 × 100 px\nIoU 0.84 with cap")  # noqa: RUF001
    viewer.screenshots("viewer-overlay-hover")
    viewer.button("Errors").click()
    expect(viewer.page.get_by_text("3 TP, 1 FP, 0 FN")).to_be_visible()
    viewer.screenshots("viewer-errors")
    viewer.button("Side by side").click()
    expect(viewer.button("Side by side")).to_have_attribute("aria-pressed", "true")
    viewer.screenshots("viewer-side-by-side")
    viewer.button("Swipe").click()
    expect(viewer.page.get_by_role("slider", name="Swipe")).to_be_visible()
    viewer.screenshots("viewer-swipe")
