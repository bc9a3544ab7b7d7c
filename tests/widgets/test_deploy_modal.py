"""The Deploy modal in a real kernel, over a real local platform."""

from __future__ import annotations

from pathlib import Path

import pytest

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.session import Session
from picsellia_jupyter.widgets.output import WIDGET_VIEW
from tests.widgets.page import Page


def opened(page: Page, *, dialogs: bool | None = False) -> str:
    """Run a bare %deploy until its form is filled; the id of its output."""
    page.shows_dialogs = dialogs
    assert page.run("%deploy") == "ok"
    page.until(lambda: ready(page) and (page.dialogs if dialogs else inline(page)))
    return next(iter(page.outputs))


def ready(page: Page) -> bool:
    buttons = [s for s in page.widgets.values() if s.get("description") == "Deploy"]
    return bool(buttons) and not buttons[0]["disabled"] and "being looked up" not in page.text()


def inline(page: Page) -> bool:
    return any(WIDGET_VIEW in bundle for bundle in page.outputs.values())


def is_finished(page: Page, output: str) -> bool:
    return not page.widgets and WIDGET_VIEW not in page.outputs[output]


def cancelled(page: Page, output: str) -> None:
    page.click("Cancel")
    page.until(lambda: is_finished(page, output))


def test_a_page_without_dialogs_gets_the_form_under_its_cell(page: Page):
    output = opened(page)

    view = page.outputs[output][WIDGET_VIEW]
    assert "pxj-form" in page.widgets[view["model_id"]]["_dom_classes"]
    labels = page.state("Model version")["_options_labels"]
    assert set(labels) == {
        "digits-detector:0",
        "digits-classifier:0",
    }
    cancelled(page, output)
    assert "Nothing was deployed." in page.outputs[output]["text/html"]
    assert "%deploy digits-" in page.outputs[output]["text/plain"]


def test_a_page_that_never_answers_gets_it_under_its_cell_too(page: Page):
    output = opened(page, dialogs=None)

    assert not page.is_shown(page.find("Insert in notebook"))
    cancelled(page, output)


def test_a_slow_page_that_shows_it_after_all_has_it_once(page: Page):
    output = opened(page, dialogs=None)
    assert WIDGET_VIEW in page.outputs[output]

    (late,) = page.unanswered
    page.dialogs.append(late)
    page.send(late, ready=True)
    page.until(lambda: WIDGET_VIEW not in page.outputs[output])

    assert "opened in a dialog" in page.outputs[output]["text/html"]
    assert page.is_shown(page.find("Insert in notebook"))
    page.send(late, cancelled=True)
    page.until(lambda: is_finished(page, output))
    assert page.said[-1]["outcome"] == "cancelled"


def test_a_form_without_a_cell_is_not_left_over_where_nobody_shows_it(page: Page):
    page.run("from picsellia_jupyter.magics import open_deploy_form; open_deploy_form(cell=False)")
    page.until(lambda: page.widgets)

    page.until(lambda: not page.widgets)
    assert page.outputs == {}


def test_buttons_can_choose_beforehand(page: Page):
    page.shows_dialogs = True
    page.run(
        "from picsellia_jupyter.magics import open_deploy_form\n"
        "open_deploy_form('digits-detector', cell=False, threshold=0.4)"
    )
    page.until(lambda: ready(page))

    assert page.line() == (
        "%deploy digits-detector:0 --strategy serving --threshold 0.4 --on local"
    )
    page.send(page.dialogs[0], cancelled=True)
    page.until(lambda: not page.widgets)


def test_a_page_with_dialogs_gets_it_there_and_the_cell_says_so(page: Page):
    output = opened(page, dialogs=True)

    assert page.said[0]["title"] == "Deploy a model version"
    assert page.metadata[output] == {"picsellia": {"id": page.said[0]["id"]}}
    assert "opened in a dialog" in page.outputs[output]["text/html"]
    assert page.is_shown(page.find("Insert in notebook"))

    page.click("Insert in notebook")
    inserted = page.until(lambda: [said["insert"] for said in page.said if "insert" in said])
    assert inserted[0].startswith("%deploy digits-")

    page.send(page.dialogs[0], cancelled=True)
    page.until(lambda: is_finished(page, output))
    assert page.said[-1]["outcome"] == "cancelled"
    assert page.said[-1]["card"] == page.outputs[output]


def test_a_page_that_was_loaded_anew_gets_the_dialog_again(page: Page):
    output = opened(page, dialogs=True)

    page.send(page.dialogs[0], reattach=True)
    page.until(lambda: page.said[-1] == {"busy": False})

    assert page.said[1] == page.said[0]
    page.send(page.dialogs[0], cancelled=True)
    page.until(lambda: is_finished(page, output))


def test_a_classification_has_no_threshold(page: Page):
    output = opened(page)

    page.choose("Model version", "digits-classifier")
    page.until(lambda: not page.is_shown(page.find("Threshold")))
    page.until(lambda: "--threshold" not in page.line())
    page.choose("Model version", "digits-detector")
    page.until(lambda: page.is_shown(page.find("Threshold")))

    assert page.state("Threshold")["value"] == 0.1
    cancelled(page, output)


def test_the_only_datalake_is_not_asked_for(page: Page, home: Path):
    output = opened(page)
    assert not page.is_shown(page.find("Datalake"))
    cancelled(page, output)

    lakes = Session(home=home)
    lakes.create_datalake("press line")
    second = Page(page.client)
    output = opened(second)
    assert second.is_shown(second.find("Datalake"))
    second.choose("Datalake", "press line")
    second.until(lambda: "--datalake 'press line'" in second.line())
    cancelled(second, output)


def test_monitoring_only_is_deployed_and_leaves_a_card(page: Page, home: Path):
    output = opened(page, dialogs=True)
    page.choose("Model version", "digits-detector")
    page.choose("Strategy", "Monitoring only")
    page.change(page.find("Name"), value="watched")
    page.until(lambda: "--strategy monitoring --threshold 0.1 --datalake" in page.line())
    page.until(lambda: "--name watched" in page.line())

    page.click("Deploy")
    page.until(lambda: is_finished(page, output))

    assert page.said[-1]["outcome"] == "deployed"
    assert page.said[-1]["name"] == "watched"
    assert page.said[-1]["line"].endswith("--name watched")
    assert "watched" in page.outputs[output]["text/plain"]
    assert Session(home=home).deployment("watched").record.threshold == 0.1
    Session(home=home).undeploy("watched", delete=True)


def test_a_name_that_stands_for_something_else_is_told_at_once(page: Page, home: Path):
    Session(home=home).deploy("digits-classifier", strategy="monitoring", name="taken")
    output = opened(page)
    page.choose("Model version", "digits-detector")

    page.change(page.find("Name"), value="taken")
    page.until(lambda: "The deployment &#x27;taken&#x27; exists already" in page.text())
    page.until(lambda: page.state("Deploy")["disabled"])
    page.change(page.find("Name"), value="free")
    page.until(lambda: not page.state("Deploy")["disabled"] and "exists already" not in page.text())

    cancelled(page, output)
    Session(home=home).undeploy("taken", delete=True)


def test_a_name_that_was_set_free_meanwhile_can_be_taken(page: Page, home: Path):
    session = Session(home=home)
    session.deploy("digits-classifier", strategy="monitoring", name="taken")
    output = opened(page)
    page.choose("Strategy", "Monitoring only")
    page.choose("Model version", "digits-detector")
    session.undeploy("taken", delete=True)

    page.change(page.find("Name"), value="taken")  # which was read when the form opened
    page.until(lambda: "--name taken" in page.line() and "exists already" not in page.text())
    page.until(lambda: not page.state("Deploy")["disabled"])
    page.click("Deploy")
    page.until(lambda: is_finished(page, output))

    assert session.deployment("taken").record.model_title == "digits-detector:0"
    session.undeploy("taken", delete=True)


def test_the_cell_before_it_may_still_run_and_the_form_says_so(page: Page, tmp_path: Path):
    output = opened(page)

    gate = tmp_path / "go-on"
    page.begin(
        f"import pathlib, time\nwhile not pathlib.Path({str(gate)!r}).exists(): time.sleep(0.05)"
    )
    page.until(lambda: "The kernel is busy with a cell" in page.text())
    gate.touch()
    page.until(lambda: "The kernel is busy with a cell" not in page.text())

    cancelled(page, output)


@pytest.mark.journey
def test_serving_goes_through_its_stages_and_the_kernel_stays_usable(page: Page, home: Path):
    output = opened(page)
    page.choose("Model version", "digits-detector")
    page.change(page.find("Name"), value="served")
    page.until(lambda: "--name served" in page.line())

    page.click("Deploy")
    page.until(lambda: "Under way" in page.text() or "Deploying" in page.text())
    assert page.run("1 + 1") == "ok"
    page.until(lambda: is_finished(page, output))

    assert 'class="pxj-badge"' in page.outputs[output]["text/html"]
    assert Session(home=home).deployment("served").state is ServingState.READY
    Session(home=home).undeploy("served", delete=True)


@pytest.mark.journey
def test_cancelling_leaves_nothing_behind_and_the_form_as_it_was(page: Page, home: Path):
    output = opened(page)
    page.choose("Model version", "digits-detector")
    page.change(page.find("Name"), value="undone")
    page.until(lambda: "--name undone" in page.line())

    page.click("Deploy")
    page.until(lambda: "Deploying" in page.text())
    page.click("Cancel")
    page.until(lambda: "Cancelled. Nothing was left behind." in page.text())

    assert page.state("Name")["value"] == "undone"
    with pytest.raises(NotFoundError):
        Session(home=home).deployment("undone")
    cancelled(page, output)


@pytest.mark.journey
def test_a_dialog_that_is_closed_while_it_deploys_has_it_undone(page: Page, home: Path):
    output = opened(page, dialogs=True)
    page.choose("Model version", "digits-detector")
    page.change(page.find("Name"), value="left")
    page.until(lambda: "--name left" in page.line())

    page.click("Deploy")
    page.until(lambda: {"busy": True} in page.said)
    page.send(page.dialogs[0], cancelled=True)
    page.until(lambda: is_finished(page, output))

    assert page.said[-1]["outcome"] == "cancelled"
    assert "Nothing was deployed." in page.outputs[output]["text/html"]
    with pytest.raises(NotFoundError):
        Session(home=home).deployment("left")


def test_a_click_that_deploys_nothing_is_answered(page: Page):
    page.shows_dialogs = True
    page.run("%deploy")
    page.until(lambda: page.dialogs and "Deploy" in str(page.widgets))
    page.until(lambda: ready(page))
    page.change(page.find("Model version"), index=None)
    page.until(lambda: page.state("Deploy")["disabled"])

    page.click("Deploy")

    page.until(lambda: {"busy": False} in page.said)
    page.send(page.dialogs[0], cancelled=True)
    page.until(lambda: not page.widgets)


@pytest.mark.journey
def test_a_broken_model_file_is_told_at_the_model(page: Page, home: Path, tmp_path: Path):
    session = Session(home=home)
    platform = session.platform
    version = platform.versions(next(m for m in platform.models() if m.name == "digits-detector"))[
        0
    ]
    broken = platform.create_version(
        platform.create_model("broken", "A file that is none."),
        kind=version.type,
        framework=version.framework,
        labels=version.labels,
    )
    (tmp_path / "broken.onnx").write_bytes(b"no model at all")
    platform.store_file(broken, "model-latest", tmp_path / "broken.onnx")

    output = opened(page)
    page.choose("Model version", "broken")
    page.until(lambda: ready(page) and "broken:0" in page.text())
    page.click("Deploy")
    page.until(lambda: 'role="alert"' in page.text())

    assert page.is_shown(page.find("Model version"))
    page.until(lambda: "failed; see above" in page.text())
    assert session.deployments().records == ()
    cancelled(page, output)
