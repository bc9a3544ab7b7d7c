"""What happens to deployments while nobody looks: notifications, the sidebar, the status bar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.happening import report, train
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer
from tests.browser.sidebar import Sidebar
from tests.training.furnished import furnished
from tests.widgets.recording import record_pages

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture(scope="module")
def session(jupyter_lab: JupyterServer) -> Iterator[Session]:
    session = Session(home=jupyter_lab.home)
    try:
        seed(session)
        yield session
    finally:
        local_platform.stop(jupyter_lab.home)


@pytest.fixture
def sidebar(session: Session, lab_page: JupyterPage) -> Sidebar:
    """With no notebook open."""
    del session
    sidebar = Sidebar(lab_page)
    sidebar.wait()
    return sidebar


def test_alerts_training_and_failures_are_told_as_they_happen(
    sidebar: Sidebar, session: Session, tmp_path: Path
):
    deployment = furnished(session, tmp_path, "own line", held_out=0, mode="good")
    row = sidebar.deployment("own line")
    expect(row).to_contain_text("not served", timeout=20_000)
    told = sidebar.page.page.locator(".jp-toastContainer")

    deployment.add_alert("latency", ">", 0.01)
    record_pages(session, "own line", tmp_path, 1)
    runner = train(session, deployment, "gpu1")

    expect(told).to_contain_text("own line: the alert “latency > 0.01” fired at 0.02.")
    expect(row).to_contain_text("1 alert")
    expect(row.get_by_text("training 40 %")).to_have_attribute("title", "training on gpu1")
    expect(sidebar.status).to_have_text("Local platform · 1 training")
    sidebar.page.screenshots("sidebar-happening")
    found = Axe().run(sidebar.page.page, context={"include": ["#picsellia-sidebar"]})
    assert found.violations_count == 0, found.generate_report()

    runner.end("FAILED", "the loss is not a number")
    report(session, deployment, "unhealthy", "its worker ended by itself")

    expect(told).to_contain_text("Training of own line failed: the loss is not a number")
    expect(told).to_contain_text("own line is unhealthy: its worker ended by itself")
    expect(row).to_contain_text("unhealthy")
    expect(row).not_to_contain_text("training")
    sidebar.page.screenshots("notices")
    told.get_by_role("button", name="Show training").click()
    card = sidebar.page.page.locator(".jp-Notebook .pxj-card")
    expect(card.get_by_text("failed", exact=True)).to_be_visible(timeout=60_000)
    expect(card.get_by_text("gpu1", exact=True)).to_be_visible()
    line = "%load_ext picsellia_jupyter\n%retrain 'own line' --follow"
    sidebar.page.wait_for_cell(line)
    assert [cell.source for cell in sidebar.page.cells() if cell.execution_count] == [line]
    assert sidebar.page.cells()[0].source == line
    sidebar.page.screenshots("notices-training")


def test_a_deployment_is_told_when_it_is_ready_and_when_it_is_stopped(
    sidebar: Sidebar, session: Session
):
    expect(sidebar.deployments.or_(sidebar.nothing).first).to_be_visible()
    session.deploy("digits-detector", name="new-line")
    told = sidebar.page.page.locator(".jp-toastContainer")
    expect(told).to_contain_text("new-line is ready.", timeout=20_000)

    row = sidebar.deployment("new-line")
    row.click(button="right")
    sidebar.menu("Stop deployment…")
    question = sidebar.page.page.get_by_role("dialog")
    expect(question).to_contain_text("Its predictions and its dashboard stay.")
    question.get_by_role("button", name="Stop").click()

    expect(row).to_contain_text("stopped", timeout=30_000)
    expect(told).to_contain_text("new-line is stopped.", timeout=30_000)
    expect(told).not_to_contain_text("new-line stopped:")
