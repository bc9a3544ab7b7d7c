"""The guide of a Monitoring-only deployment in a real kernel, over a real local platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.session import Session
from picsellia_jupyter.widgets.output import WIDGET_VIEW
from tests.widgets.page import Page
from tests.widgets.recording import record_pages
from tests.widgets.test_panel import closed, is_live, says, tabs

DOWNLOAD, CONNECT, CHECK = range(3)


@pytest.fixture(scope="module")
def session(home: Path) -> Session:
    return Session(home=home)


@pytest.fixture
def line(session: Session) -> Iterator[str]:
    session.deploy("digits-detector", strategy="monitoring", name="own-line", threshold=0.1)
    yield "own-line"
    for one in session.deployments().records:
        session.undeploy(one.name, delete=True)


def opened(page: Page, line: str, tab: int = DOWNLOAD) -> str:
    """Show the guide and one of its tabs; the id of its output."""
    assert page.run(f"%interconnect {line}") == "ok"
    page.until(lambda: is_live(page))
    if tab:
        page.change(tabs(page), selected_index=tab)
    return next(iter(page.outputs))


def test_it_stands_over_the_guide_as_text_and_leaves_it(page: Page, line: str):
    output = opened(page, line)

    assert set(page.outputs[output]) == {WIDGET_VIEW, "text/html", "text/plain"}
    assert "3. Check that it works" in page.outputs[output]["text/html"]
    closed(page)
    assert set(page.outputs[output]) == {"text/html", "text/plain"}


def test_a_program_that_runs_notebooks_gets_the_text_alone(page: Page, line: str):
    page.shows_dialogs = None

    assert page.run(f"%interconnect {line}") == "ok"
    page.until(lambda: page.targets)

    assert set(*page.outputs.values()) == {"text/html", "text/plain"}
    assert page.widgets == {}


def test_the_files_are_downloaded_into_a_folder(page: Page, line: str, tmp_path: Path):
    opened(page, line)
    says(page, "model-latest")

    page.change(page.find("Folder"), value=str(tmp_path / "server"))
    page.click("Download")
    says(page, f"All files are in {tmp_path / 'server'}.")

    assert (tmp_path / "server" / "digits_detector.pt2").is_file()
    says(page, "%interconnect own-line --download")
    closed(page)


def test_a_folder_that_cannot_be_made_is_said(page: Page, line: str, tmp_path: Path):
    (tmp_path / "file").write_text("")
    opened(page, line)

    page.change(page.find("Folder"), value=str(tmp_path / "file" / "below"))
    page.click("Download")

    page.until(lambda: 'role="alert"' in page.text())
    page.until(lambda: page.is_shown(page.find("Download")))
    closed(page)


def test_the_first_prediction_is_waited_for_and_shown(
    page: Page, line: str, session: Session, tmp_path: Path
):
    opened(page, line, CHECK)
    says(page, "Waiting for the first prediction", "%interconnect own-line --check")

    record_pages(session, line, tmp_path, 1)

    says(page, "The newest prediction of own-line.")
    pictures = [state["outputs"] for state in page.widgets.values() if state.get("outputs")]
    assert "page-0.png" in str(pictures)
    closed(page)


@pytest.mark.journey
def test_a_serving_kernel_does_it(page: Page, line: str, session: Session):
    opened(page, line, CONNECT)
    says(page, "Paste this where your model runs")

    page.click("Start a serving kernel")
    page.until(lambda: page.is_shown(page.find("Cancel")))
    says(page, "A serving kernel serves it and logs every prediction.", "--on local")

    assert session.deployment(line).state is ServingState.READY
    assert not page.is_shown(page.find("Start a serving kernel"))
    closed(page)


@pytest.mark.journey
def test_a_serving_kernel_that_is_cancelled_leaves_the_deployment_as_it_was(
    page: Page, line: str, session: Session
):
    opened(page, line, CONNECT)

    page.click("Start a serving kernel")
    says(page, "Starting")
    page.click("Cancel")
    says(page, "Cancelled: the serving kernel has ended.")

    assert session.deployment(line).record.serving is None
    closed(page)
