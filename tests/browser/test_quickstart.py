"""The quickstart in a real JupyterLab: what a newcomer sees after `make lab`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture
def seeded(jupyter_lab: JupyterServer) -> Iterator[JupyterServer]:
    try:
        seed(Session(home=jupyter_lab.home))
        yield jupyter_lab
    finally:
        local_platform.stop(jupyter_lab.home)


def test_running_all_shows_a_ready_deployment_and_an_overlay(
    seeded: JupyterServer, lab_page: JupyterPage
):
    lab_page.open("01_deploy.ipynb")
    cells = lab_page.run_all(timeout_s=180)
    at = {cell.source.splitlines()[0]: index for index, cell in enumerate(cells) if cell.source}

    deploy = at["d = %deploy digits-detector --threshold 0.3 --name quickstart"]
    card = lab_page.cell(deploy).locator(".pxj-card").last
    card.scroll_into_view_if_needed()
    expect(card).to_contain_text("quickstart")
    expect(card.locator(".pxj-badge")).to_have_text("ready")
    expect(card).to_be_in_viewport()
    overlay = lab_page.cell(deploy + 2).locator("canvas").first
    overlay.scroll_into_view_if_needed()
    expect(overlay).not_to_have_js_property("width", 300)  # which it has until it is drawn
    assert overlay.evaluate("canvas => canvas.width") > 400
    expect(lab_page.cell(deploy + 3).locator("canvas")).to_have_count(12)

    lab_page.screenshots("quickstart-registry", cell=2)
    lab_page.screenshots("quickstart-deploy", cell=deploy)
    lab_page.screenshots("quickstart-overlay", cell=deploy + 2)
    lab_page.screenshots("quickstart-grid", cell=deploy + 3)
    lab_page.screenshots("quickstart-dashboard", cell=at["%monitor quickstart --last 1h"])
    lab_page.screenshots("quickstart-end", cell=len(cells) - 1)
