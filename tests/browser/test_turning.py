"""The pages of a grid, turned in place in a real JupyterLab."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer

pytestmark = pytest.mark.browser

PREDICTED = """%load_ext picsellia_jupyter
import numpy as np
from PIL import Image
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.handles.predictions import Predictions

rows = np.array([[10, 10, 40, 30]], np.float32)
one = Detections(np.array([0]), np.array([0.9], np.float32), rows)
images = []
for number in range(250):
    Image.new("RGB", (64, 48), (number, 90, 160)).save(f"{number}.png")
    images.append(PredictedImage(f"{number}.png", ImageSize(64, 48), one, 0.004))
found = Predictions(images, [], labels={0: "car"}, threshold=0.3)
"""

# The red of a photo is its number; the first one of the last page is 200.
DRAWN = """canvas => canvas.getContext('2d').getImageData(1, 1, 1, 1).data[0] == 200"""


def widgets_in(saved: Path) -> list[str]:
    cells = json.loads(saved.read_text())["cells"]
    return [kind for cell in cells for one in cell["outputs"] for kind in one["data"]]


def test_pages_are_turned_in_place_and_a_file_has_the_page_and_the_line(
    jupyter_lab: JupyterServer, lab_page: JupyterPage, write_notebook
):
    write_notebook(jupyter_lab, "turning.ipynb", PREDICTED, "found")
    lab_page.open("turning.ipynb")
    lab_page.run_all()
    cell = lab_page.cell(1)
    turn = cell.get_by_role("button", name="Next page", exact=True)
    expect(cell.get_by_text("250 images predicted, 1 to 100 shown")).to_be_visible()
    expect(cell.get_by_role("button", name="Previous page")).to_be_disabled()
    sizes = [len(json.dumps(lab_page.cells()[1].outputs))]

    turn.focus()
    lab_page.page.keyboard.press("Enter")
    expect(cell.get_by_text("250 images predicted, 101 to 200 shown")).to_be_visible()
    expect(cell.locator(".tile .name").first).to_have_text("100.png")
    expect(turn).to_be_focused()
    sizes.append(len(json.dumps(lab_page.cells()[1].outputs)))
    cell.get_by_label("Page").fill("3")
    lab_page.page.keyboard.press("Enter")
    expect(cell.get_by_text("250 images predicted, 201 to 250 shown")).to_be_visible()
    expect(cell.locator(".tile")).to_have_count(50)
    expect(turn).to_be_disabled()

    assert len(lab_page.cells()[1].outputs) == 2
    assert sizes[1] < 1.1 * sizes[0]
    cell.get_by_text("250 images predicted").scroll_into_view_if_needed()
    lab_page.page.wait_for_function(DRAWN, arg=cell.locator(".tile canvas").first.element_handle())
    lab_page.screenshots("grid-turning")
    lab_page.execute("docmanager:save")
    saved = jupyter_lab.root / "turning.ipynb"
    assert widgets_in(saved) == ["text/html", "text/plain"] * 2
    assert "found.show(page=2) shows another of 3 pages." in saved.read_text()
    assert "201 to 250 shown" in saved.read_text()
