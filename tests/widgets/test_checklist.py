from __future__ import annotations

from dataclasses import replace

from picsellia_jupyter.domain.checklist import Item, Mark
from picsellia_jupyter.domain.deployments import Check, Strategy
from picsellia_jupyter.domain.registry import Framework, Model
from picsellia_jupyter.widgets.checklist import items, with_findings
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.deploy_form import DeployForm, judge
from tests.widgets.examples import CHOICES, CLOUD, DETECTOR, knowing

FORM = DeployForm("detector:0", place="local")


def lines(choices: Choices, form: DeployForm = FORM) -> dict[str, tuple[Mark, str]]:
    found = items(form, choices, judge(form, choices))
    return {line.name: (line.mark, line.found) for line in found}


def test_what_is_not_known_yet_is_waited_for():
    assert lines(CHOICES) == {
        "Files": (Mark.WAITING, "being looked up"),
        "Framework": (Mark.GOOD, "pytorch"),
        "Labels": (Mark.GOOD, "10"),
        "Origin": (Mark.WAITING, "being looked up"),
        "Dry run": (Mark.WAITING, "one prediction, before it is announced"),
    }


def test_the_lines_fill_in_as_the_platform_answers():
    found = lines(knowing(CHOICES, DETECTOR, "model-latest", "config", experiment="e"))

    assert found["Files"] == (Mark.GOOD, "model-latest, 2 in all")
    assert found["Origin"] == (Mark.GOOD, "an experiment")


def test_a_model_that_is_not_served_by_us_has_no_dry_run():
    assert "Dry run" not in lines(CHOICES, DeployForm("detector:0", Strategy.MONITORING))


def test_a_missing_file_is_wrong_only_where_it_is_to_be_served():
    choices = knowing(CHOICES, DETECTOR, "weights")
    alone = DeployForm("detector:0", Strategy.MONITORING)

    assert lines(choices)["Files"] == (Mark.WRONG, "no model-latest among 1")
    assert lines(choices, alone)["Files"][0] is Mark.WARNING


def test_what_picsellia_serving_does_not_promise_is_warned_of():
    onnx = replace(DETECTOR, framework=Framework.ONNX)
    cloud = replace(CLOUD, listed=(Model("detector", "detector", (onnx,)),))
    found = lines(knowing(cloud, onnx, "model-latest"))

    assert found["Framework"] == (Mark.WARNING, "onnx")
    assert found["Origin"] == (Mark.WARNING, "imported by hand")


def test_the_dry_run_knows_better_than_the_form():
    before = (Item("Labels", "10", Mark.GOOD), Item("Dry run", "later", Mark.WAITING))
    found = [Check("Dry run", "3.1 ms"), Check("Sandbox", "process", "Use Linux.")]

    assert with_findings(before, found) == (
        Item("Labels", "10", Mark.GOOD),
        Item("Dry run", "3.1 ms", Mark.GOOD),
        Item("Sandbox", "process", Mark.WARNING, "Use Linux."),
    )
