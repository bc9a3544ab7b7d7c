"""The panel in a real kernel, over a real local platform."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.session import Session
from picsellia_jupyter.widgets.front_page import TARGET
from picsellia_jupyter.widgets.output import WIDGET_VIEW
from picsellia_jupyter.widgets.predictions_filter import PAGE
from tests.widgets.page import SETUP, Page, running_kernel
from tests.widgets.recording import record_pages

DASHBOARD, PREDICTIONS, SETTINGS = range(3)


@pytest.fixture(scope="module")
def session(home: Path) -> Session:
    made = Session(home=home)
    if "press line" not in {lake.name for lake in made.datalakes().datalakes}:
        made.create_datalake("press line")
    return made


@pytest.fixture
def line(session: Session) -> Iterator[str]:
    """The name of a Monitoring-only deployment of the demo detector."""
    session.deploy("digits-detector", strategy="monitoring", name="line", threshold=0.1)
    yield "line"
    for one in session.deployments().records:
        session.undeploy(one.name, delete=True)


def opened(page: Page, line: str, tab: int = DASHBOARD) -> str:
    """Show a panel and one of its tabs; the id of its output."""
    assert page.run(f"%deployment {line}") == "ok"
    page.until(lambda: is_live(page))
    if tab:
        page.change(tabs(page), selected_index=tab)
    return next(iter(page.outputs))


def is_live(page: Page) -> bool:
    return any(WIDGET_VIEW in bundle for bundle in page.outputs.values())


def tabs(page: Page) -> str:
    (found,) = (k for k, s in page.widgets.items() if s.get("_model_name") == "TabModel")
    return found


def says(page: Page, *texts: str) -> None:
    """Wait until the panel says all of this."""
    page.until(lambda: all(text in unescape(re.sub("<[^>]*>", "", page.text())) for text in texts))


def html(page: Page) -> str:
    """What the outputs inside of the panel show."""
    return "".join(
        shown["data"].get("text/html", "")
        for state in page.widgets.values()
        for shown in state.get("outputs") or ()
    )


def closed(page: Page) -> None:
    page.run("get_ipython().__dict__['_picsellia_jupyter']._panels.unregister()")
    page.run("get_ipython().__dict__['_picsellia_jupyter']._panels.register()")
    page.until(lambda: not page.widgets)


def test_a_panel_stands_over_the_card_and_leaves_it(page: Page, line: str):
    output = opened(page, line)

    bundle = page.outputs[output]
    assert set(bundle) == {WIDGET_VIEW, "text/html", "text/plain"}
    assert "pxj-card" in bundle["text/html"]
    assert page.metadata[output]["picsellia"]
    says(page, "As of")
    assert "Inferences" in html(page) or "inference" in html(page)
    says(page, 'd.dashboard("24h")')

    closed(page)
    assert set(page.outputs[output]) == {"text/html", "text/plain"}


def test_a_program_that_runs_notebooks_gets_the_card_alone(page: Page, line: str):
    page.shows_dialogs = None

    assert page.run(f"%deployment {line}") == "ok"
    page.until(lambda: page.targets)

    assert page.targets == [TARGET]
    assert set(*page.outputs.values()) == {"text/html", "text/plain"}
    assert page.widgets == {}


def test_showing_it_again_leaves_the_card_where_it_was(page: Page, line: str):
    first = opened(page, line)

    page.run(f"%deployment {line}")
    page.until(lambda: WIDGET_VIEW not in page.outputs[first])
    page.until(lambda: is_live(page))
    closed(page)


def test_every_setting_is_saved_by_itself(page: Page, line: str, session: Session):
    opened(page, line, SETTINGS)
    page.until(lambda: "press line" in page.state("Datalake").get("_options_labels", ()))

    page.change(page.find("Threshold"), value=0.4)
    says(page, "d.threshold = 0.4", "Saved.")
    page.change(page.find("Sample rate"), value=0.5)
    page.choose("Datalake", "press line")
    page.change(page.find("Name"), value="  other ")
    page.until(lambda: page.text().count("Saved.") == 4)

    record = session.deployment("other").record
    assert (record.threshold, record.sample_rate) == (0.4, 0.5)
    assert record.datalake_name == "press line"
    assert page.state("Name")["value"] == "other"
    closed(page)


def test_what_is_refused_is_said_at_its_field_and_can_be_mended(
    page: Page, line: str, session: Session
):
    session.deploy("digits-detector", strategy="monitoring", name="taken")
    opened(page, line, SETTINGS)

    page.change(page.find("Name"), value="taken")
    says(page, "is called 'taken' already")
    page.change(page.find("Threshold"), value=40.0)
    says(page, "A percentage?")
    assert page.state("Name")["value"] == "taken"
    assert page.state("Threshold")["value"] == 40.0

    page.change(page.find("Threshold"), value=0.2)
    says(page, "d.threshold = 0.2", "Saved.")
    assert session.deployment(line).threshold == 0.2
    closed(page)


def test_alerts_are_added_and_removed(page: Page, line: str, session: Session):
    opened(page, line, SETTINGS)
    says(page, "Nothing is watched yet.")

    page.change(page.find("limit"), value=0.25)
    page.click("Add alert")
    says(page, "Added.")
    assert [one.condition for one in session.deployment(line).alerts] == ["latency > 0.25"]
    says(page, 'd.add_alert("latency", ">", 0.25)')

    page.click("Remove")
    says(page, "Removed.")
    assert len(session.deployment(line).alerts) == 0
    closed(page)


def test_deleting_asks_for_the_name(page: Page, line: str, session: Session):
    output = opened(page, line, SETTINGS)
    page.until(lambda: "press line" in page.state("Datalake").get("_options_labels", ()))
    assert page.state("Delete for good")["disabled"]

    page.change(page.find("Its name"), value="lin")
    page.change(page.find("Its name"), value=line)
    page.until(lambda: not page.state("Delete for good")["disabled"])
    page.click("Delete for good")
    page.until(lambda: not page.widgets)

    assert "was deleted with its predictions" in page.outputs[output]["text/plain"]
    with pytest.raises(NotFoundError):
        session.deployment(line)


def test_predictions_are_read_a_page_at_a_time(
    page: Page, line: str, session: Session, tmp_path: Path
):
    record_pages(session, line, tmp_path, PAGE + 2)
    opened(page, line, PREDICTIONS)

    says(page, "1 to 24, newest first.")
    assert "page-25.png" in html(page)
    assert "page-1.png" not in html(page)
    page.click("Older")
    says(page, "25 to 26, newest first; there are no older ones.")
    assert "page-1.png" in html(page)
    page.click("Newer")
    says(page, "1 to 24, newest first.")

    page.change(page.find("Score over"), value=0.9)
    says(page, "1 to 2, newest first; there are no older ones.")
    says(page, "d.recorded(score=0.9)")
    page.change(page.find("File"), value="nobody's")
    says(page, "None are as you ask for.")
    closed(page)


def test_the_head_follows_the_deployment(page: Page, line: str, session: Session, tmp_path: Path):
    opened(page, line)
    says(page, "As of")
    says(page, "0 inferences")

    record_pages(session, line, tmp_path, 1)

    says(page, "1 inference")
    says(page, "1 prediction more since: Refresh shows them.")
    closed(page)


def test_a_kernel_that_ends_leaves_the_card(home: Path, line: str):
    with running_kernel(home) as page:
        assert page.run(SETUP) == "ok"
        output = opened(page, line)
        page.client.shutdown()
        page.until(lambda: WIDGET_VIEW not in page.outputs[output])
    assert "pxj-card" in page.outputs[output]["text/html"]
