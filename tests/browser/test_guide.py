"""A Monitoring-only deployment led to its first prediction, and the Tab key, in JupyterLab."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.page import SCREENSHOTS, JupyterPage
from tests.browser.server import JupyterServer

pytestmark = [pytest.mark.browser, pytest.mark.journey]

OWN_SERVER = """
import os, subprocess, sys
token = get_ipython()._picsellia_jupyter.session.platform.token
subprocess.run([sys.executable, "-c", d.code()], env={**os.environ, "PICSELLIA_TOKEN": token},
               check=True, capture_output=True, text=True).stdout
""".strip()
SOURCES = (
    "%load_ext picsellia_jupyter",
    "d = %deploy digits-detector --strategy monitoring --name my-line\nd",
    "%interconnect my-line",
    "%interconnect my-line --download my-server",
    OWN_SERVER,
    "%interconnect my-line --check",
    "%deploy?",
    "",
)


@pytest.fixture
def seeded(jupyter_lab: JupyterServer) -> Iterator[JupyterServer]:
    try:
        seed(Session(home=jupyter_lab.home))
        shutil.copy(catalog.pages()[0], jupyter_lab.root / "image.jpg")
        yield jupyter_lab
    finally:
        local_platform.stop(jupyter_lab.home)


def test_the_guide_leads_to_the_first_prediction(
    seeded: JupyterServer, lab_page: JupyterPage, write_notebook
):
    write_notebook(seeded, "guide.ipynb", *SOURCES)
    lab_page.open("guide.ipynb")
    cells = lab_page.run_all(timeout_s=180)

    guide = lab_page.cell(2).locator(".pxj-card")
    for part in ("1. Download the model files", "2. Connect your server", "3. Check that it works"):
        expect(guide.get_by_text(part)).to_be_visible()
    assert (seeded.root / "my-server" / "digits_detector.pt2").is_file()
    assert "image.jpg is recorded as prediction" in cells[4].text()
    picture = lab_page.cell(5).locator("canvas").first
    picture.scroll_into_view_if_needed()
    expect(picture).not_to_have_js_property("width", 300)  # which it has until it is drawn
    assert picture.evaluate("canvas => canvas.width") > 300
    assert "usage: %deploy" in cells[6].text()
    for name, index in {"card": 1, "guide": 2, "download": 3, "check": 5, "manual": 6}.items():
        lab_page.screenshots(f"interconnect-{name}", cell=index)

    last = lab_page.cell(len(cells) - 1)
    last.locator(".cm-content").click()
    lab_page.page.keyboard.type("%undeploy my")
    # Names are fetched meanwhile; until they are there, nothing is completed.
    for _ in range(100):
        lab_page.page.keyboard.press("Tab")
        lab_page.page.wait_for_timeout(100)
        if lab_page.cells()[-1].source == "%undeploy my-line":
            break
    assert lab_page.cells()[-1].source == "%undeploy my-line"
    lab_page.page.keyboard.type(" --")
    lab_page.page.keyboard.press("Tab")
    expect(lab_page.page.locator(".jp-Completer")).to_contain_text("--delete")
    lab_page.page.screenshot(path=SCREENSHOTS / "completion.png", animations="disabled")
    lab_page.page.keyboard.press("Enter")
    expect(last.locator(".cm-content")).to_contain_text("%undeploy my-line --delete")
