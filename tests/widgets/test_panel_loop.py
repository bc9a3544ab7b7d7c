"""The panel's shadow model, pipeline switches and danger zone, in a real kernel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.session import Session
from tests.widgets.page import Page
from tests.widgets.test_panel import SETTINGS, closed, is_live, opened, says

OTHER = "other-detector:0"


@pytest.fixture(scope="module")
def session(home: Path) -> Session:
    """With a second version that detects as well."""
    made = Session(home=home)
    platform = made.platform
    (like,) = next(m.versions for m in made.registry().models if m.name == "digits-detector")
    second = platform.create_version(
        platform.create_model("other-detector", "Detects as well."),
        kind=like.type,
        framework=like.framework,
        labels=like.labels,
    )
    folder = home / "second"
    folder.mkdir()
    for file in platform.files(like):
        platform.store_file(second, file.name, platform.download(file, folder))
    return made


@pytest.fixture
def line(session: Session) -> Iterator[str]:
    session.deploy("digits-detector", strategy="monitoring", name="looped")
    yield "looped"
    for one in session.deployments().records:
        session.undeploy(one.name, delete=True)


def test_a_shadow_model_is_chosen_promoted_and_taken_away(page: Page, line: str, session: Session):
    opened(page, line, SETTINGS)
    page.until(lambda: OTHER in page.state("Shadow model").get("_options_labels", ()))
    assert not page.is_shown(page.find("Promote to champion"))

    page.choose("Shadow model", OTHER)
    says(page, f"d.shadow = '{OTHER}'", "Saved.")
    page.until(lambda: page.is_shown(page.find("Promote to champion")))
    page.click("Promote to champion")
    says(page, "d.promote_shadow()")

    now = session.deployment(line)
    assert (now.record.model_title, now.shadow) == (OTHER, "digits-detector:0")
    page.until(lambda: "digits-detector:0" in page.state("Shadow model")["_options_labels"])
    page.choose("Shadow model", "None")
    says(page, "d.shadow = None")
    page.until(lambda: session.deployment(line).shadow is None)
    closed(page)


def test_parts_of_the_pipeline_are_paused_and_resumed(page: Page, line: str, session: Session):
    session.sdk.get_deployment(line).setup_feedback_loop()
    opened(page, line, SETTINGS)
    says(page, "Not set up: continuous training, continuous deployment.")
    loop = page.find("Feedback loop")
    assert page.is_shown(loop)
    assert not page.is_shown(page.find("Continuous training"))

    page.change(loop, value=False)
    says(page, 'd.pause("feedback_loop")', "Saved.")
    page.change(loop, value=True)
    says(page, 'd.resume("feedback_loop")', "Saved.")
    closed(page)


@pytest.mark.journey
def test_ending_its_serving_kernel_asks_first(page: Page, line: str, session: Session):
    del line
    session.deploy("digits-detector", name="served-line")
    opened(page, "served-line", SETTINGS)
    page.until(lambda: page.is_shown(page.find("Undeploy")))

    page.click("Undeploy")
    page.until(lambda: page.is_shown(page.find("Keep it")))
    page.click("Keep it")
    page.until(lambda: not page.is_shown(page.find("End its serving kernel")))
    page.click("Undeploy")
    page.click("End its serving kernel")
    says(page, "Ended.", "d.undeploy()", "No serving kernel runs for it.")

    assert session.deployment("served-line").state is ServingState.STOPPED
    assert is_live(page)
    closed(page)
