"""A Monitoring-only deployment led to its first prediction, and the Tab key, in JupyterLab."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.page import SCREENSHOTS, JupyterPage
from tests.browser.server import JupyterServer

pytestmark = [pytest.mark.browser, pytest.mark.journey]

OWN_SERVER = """
__import__("subprocess").run(
    [__import__("sys").executable, "-c", d.code()], capture_output=True, text=True,
    env={**__import__("os").environ, "PICSELLIA_TOKEN": session.platform.token},
).stdout
""".strip()
"""The code of the second tab, run as it stands by a process of its own."""
SOURCES = (
    "%load_ext picsellia_jupyter\nfrom picsellia_jupyter import Session\nsession = Session()",
    "d = %deploy digits-detector --strategy monitoring --name my-line\nd",
    "%interconnect my-line",
    "%deploy?",
    "",
)
AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}

CLIPPED = """labels => labels
    .filter(label => label.scrollWidth > label.clientWidth).map(label => label.textContent)"""


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
    guide = lab_page.page.locator(".pxj-panel")

    download(guide, lab_page)
    connect(guide, lab_page)
    check(guide, lab_page)

    assert "usage: %deploy" in cells[3].text()
    lab_page.screenshots("interconnect-manual", cell=3)
    lab_page.execute("docmanager:save")
    saved = (seeded.root / "guide.ipynb").read_text()
    assert "widget-view" not in saved
    assert "3. Check that it works" in saved

    complete(lab_page, len(cells) - 1)


def download(guide: Locator, lab_page: JupyterPage) -> None:
    """The first tab."""
    guide.get_by_label("Folder").fill("my-server")
    guide.get_by_role("button", name="Download").click()
    expect(guide).to_contain_text("All files are in my-server.", timeout=30_000)
    assert (lab_page.server.root / "my-server" / "digits_detector.pt2").is_file()
    assert violations(lab_page) == []
    lab_page.screenshots("interconnect-download", cell=2)


def connect(guide: Locator, lab_page: JupyterPage) -> None:
    """The second one."""
    guide.get_by_role("tab", name="2. Connect your server").click()
    assert guide.locator(".lm-TabBar-tabLabel").evaluate_all(CLIPPED) == []
    expect(guide.get_by_text("Paste this where your model runs")).to_be_visible()
    assert violations(lab_page) == []
    lab_page.screenshots("interconnect-connect", cell=2)


def check(guide: Locator, lab_page: JupyterPage) -> None:
    """The third one; its prediction is sent meanwhile, as the second one says."""
    guide.get_by_role("tab", name="3. Check that it works").click()
    expect(guide).to_contain_text("Waiting for the first prediction")
    lab_page.screenshots("interconnect-waiting", cell=2)
    assert "image.jpg is recorded as prediction" in lab_page.ask(OWN_SERVER)
    picture = guide.locator("canvas").first
    expect(picture).to_be_visible(timeout=20_000)
    picture.scroll_into_view_if_needed()
    expect(picture).not_to_have_js_property("width", 300)  # which it has until it is drawn
    assert violations(lab_page) == []
    lab_page.screenshots("interconnect-check", cell=2)


def complete(lab_page: JupyterPage, index: int) -> None:
    """The Tab key, in an empty cell."""
    last = lab_page.cell(index)
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


def violations(page: JupyterPage) -> list[str]:
    """What axe finds wrong with the guide."""
    found = Axe().run(page.page, context=".pxj-panel", options=AXE_RULES).response["violations"]
    return [f"{one['id']}: {node['html']}" for one in found for node in one["nodes"]]
