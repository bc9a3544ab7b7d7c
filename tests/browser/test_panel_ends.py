"""A live panel's keys, and what remains of it when its kernel is killed: JupyterLab, Notebook 7."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from picsellia_jupyter.launch import local_platform
from tests.browser.page import JupyterPage

pytestmark = [pytest.mark.browser, pytest.mark.journey]

FURNISH = """\
%load_ext picsellia_jupyter
from picsellia_jupyter import Session
from picsellia_jupyter.demo.seed import seed
session = Session()
seed(session)
d = session.deploy("digits-detector", strategy="monitoring", name="short-line")"""


@pytest.fixture(params=["lab", "notebook"])
def page(request) -> Iterator[JupyterPage]:
    """A page on each of the two applications in turn."""
    page: JupyterPage = request.getfixturevalue(f"{request.param}_page")
    yield page
    local_platform.stop(page.server.home)


def test_a_kernel_that_is_killed_leaves_the_card_and_says_so(page: JupyterPage, write_notebook):
    write_notebook(page.server, "killed.ipynb", FURNISH, "d")
    page.open("killed.ipynb")
    page.run_all(timeout_s=120)
    panel = page.page.locator(".pxj-panel")
    expect(panel.get_by_text("As of")).to_be_visible(timeout=60_000)
    panel.get_by_role("tab", name="Dashboard").focus()
    page.page.keyboard.press("ArrowRight")
    expect(panel.get_by_role("tab", name="Predictions")).to_be_focused()
    page.expected.append("Canceled future")  # JupyterLab's own

    os.kill(int(page.ask("__import__('os').getpid()")), signal.SIGKILL)

    cell = page.cell(1)
    expect(cell).to_contain_text("Its kernel has ended: run the cell again", timeout=30_000)
    expect(cell.locator(".pxj-card")).to_contain_text("short-line")
    expect(panel).to_have_count(0)
    page.page.get_by_role("dialog").get_by_role("button").last.click()
    page.screenshots(f"panel-killed-{page.server.kind}", cell=1)
    page.execute("docmanager:save")
    saved = (page.server.root / "killed.ipynb").read_text()
    assert "widget-view" not in saved
    assert "Its kernel has ended" in saved
