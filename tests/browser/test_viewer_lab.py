"""The viewer as the output of a cell in a real JupyterLab."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from picsellia_jupyter.display.palette import label_colour
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer
from tests.browser.viewer_page import PIXEL, TWO_FRAMES

pytestmark = pytest.mark.browser

PREDICTED = """
import numpy as np
from pathlib import Path
from PIL import Image
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.handles.predictions import Predictions

Image.new("RGB", (640, 480), (128, 128, 128)).save("street.jpg")
rows = np.array([[100, 100, 200, 200], [300, 100, 400, 200]], np.float32)
found = Detections(np.array([0, 1]), np.array([0.9, 0.2], np.float32), rows)
image = PredictedImage("street.jpg", ImageSize(640, 480), found, 0.004)
Predictions([image], [], labels={0: "car", 1: "bus"}, threshold=0.3)
"""


SLIDES = {
    "ArrowRight": "0.31",
    "ArrowUp": "0.32",
    "ArrowLeft": "0.31",
    "ArrowDown": "0.3",
    "End": "1",
    "Home": "0",
    "PageUp": "0.1",
}


def test_a_predicted_image_is_interactive_and_its_keys_are_its_own(
    jupyter_lab: JupyterServer, lab_page: JupyterPage, write_notebook
):
    write_notebook(jupyter_lab, "viewer.ipynb", PREDICTED, "1 + 1")
    lab_page.open("viewer.ipynb")
    lab_page.run_all()
    canvas = lab_page.cell(0).locator("canvas")
    canvas.scroll_into_view_if_needed()
    expect(canvas).not_to_have_js_property("width", 300)  # which it has until it is drawn

    def pixel(x: float, y: float) -> tuple[int, ...]:
        lab_page.page.evaluate(TWO_FRAMES)
        return tuple(canvas.evaluate(PIXEL, [x, y, 640]))

    def near(seen: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
        return max(abs(a - b) for a, b in zip(seen, wanted, strict=True)) < 12

    assert near(pixel(100, 150), label_colour(0))
    assert near(pixel(300, 150), (128, 128, 128))
    lab_page.cell(0).get_by_label("Confidence").fill("0.1")
    assert near(pixel(300, 150), label_colour(1))

    cells = len(lab_page.cells())
    canvas.click(position={"x": 10, "y": 10})
    for key in ("ArrowDown", "ArrowDown", "ArrowUp", "d", "d", "x", "b"):
        lab_page.page.keyboard.press(key)
    expect(lab_page.cell(0).locator(".tip")).to_contain_text("car 0.90")
    assert len(lab_page.cells()) == cells
    lab_page.page.keyboard.press("h")
    assert near(pixel(100, 150), (128, 128, 128))
    lab_page.page.keyboard.press("h")
    lab_page.screenshots("viewer-lab", cell=0)
    check_that_slider_and_buttons_have_their_keys(lab_page)


def check_that_slider_and_buttons_have_their_keys(lab_page: JupyterPage) -> None:
    """JupyterLab would take arrows, Enter and others for its cells."""
    keys = lab_page.page.keyboard
    slider = lab_page.cell(0).get_by_label("Confidence")
    labels = lab_page.cell(0).get_by_role("button", name="Labels", exact=True)
    slider.fill("0.3")
    slider.focus()
    for key, value in SLIDES.items():
        keys.press(key)
        expect(slider).to_have_value(value)
        expect(slider).to_be_focused()
    labels.focus()
    for key, pressed in (("Enter", "false"), ("Space", "true")):
        keys.press(key)
        expect(labels).to_have_attribute("aria-pressed", pressed)
        expect(labels).to_be_focused()
