"""The checklist of a deployment, as far as it is known while the form is filled in."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.domain.checklist import Item, Mark
from picsellia_jupyter.domain.deployments import Check, Strategy
from picsellia_jupyter.domain.registry import Framework, ModelVersion
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.deploy_form import DeployForm, Field, Verdict
from picsellia_jupyter.workflows.deploying import DEFAULT_FILE


def items(form: DeployForm, choices: Choices, verdict: Verdict) -> tuple[Item, ...]:
    """The lines for a form, those that are known and those the dry run will tell."""
    version = choices.find_version(form.model)
    if version is None:
        return ()
    lines = [
        _file(version, choices, verdict),
        _framework(version, form, choices),
        _labels(version),
        _origin(version, form, choices),
    ]
    if form.request(choices).place:
        lines.append(Item("Dry run", "one prediction, before it is announced", Mark.WAITING))
    return tuple(lines)


def with_findings(lines: Sequence[Item], checks: Sequence[Check]) -> tuple[Item, ...]:
    """The lines with what the dry run found, which knows better than the form."""
    found = {check.name: _item(check) for check in checks}
    renewed = [found.pop(line.name, line) for line in lines]
    return (*renewed, *found.values())


def _item(check: Check) -> Item:
    mark = Mark.WARNING if check.remedy else Mark.GOOD
    return Item(check.name, check.found, mark, check.remedy)


def _file(version: ModelVersion, choices: Choices, verdict: Verdict) -> Item:
    known = choices.facts.get(version.id)
    if known is None:
        return Item("Files", "being looked up", Mark.WAITING)
    names = [file.name for file in known.files]
    if DEFAULT_FILE in names:
        return Item("Files", f"{DEFAULT_FILE}, {len(names)} in all", Mark.GOOD)
    wrong = Mark.WRONG if Field.MODEL in verdict.problems else Mark.WARNING
    return Item("Files", f"no {DEFAULT_FILE} among {len(names)}", wrong)


def _framework(version: ModelVersion, form: DeployForm, choices: Choices) -> Item:
    stated = version.framework.value.replace("_", " ").lower()
    hosted = choices.serves_itself and form.strategy is Strategy.SERVING
    if version.framework is Framework.NOT_CONFIGURED:
        return Item("Framework", "none is stated", Mark.WARNING, "The file decides.")
    if hosted and version.framework is Framework.ONNX:
        remedy = "Picsellia Serving is made for TensorFlow and PyTorch."
        return Item("Framework", stated, Mark.WARNING, remedy)
    return Item("Framework", stated, Mark.GOOD)


def _labels(version: ModelVersion) -> Item:
    if version.labels:
        return Item("Labels", str(len(version.labels)), Mark.GOOD)
    return Item("Labels", "none", Mark.WARNING, "Shapes will be named class 0, class 1, …")


def _origin(version: ModelVersion, form: DeployForm, choices: Choices) -> Item:
    known = choices.facts.get(version.id)
    if known is None:
        return Item("Origin", "being looked up", Mark.WAITING)
    if known.experiment_id:
        return Item("Origin", "an experiment", Mark.GOOD)
    if choices.serves_itself and form.strategy is Strategy.SERVING:
        remedy = "Ask the Picsellia team whether it can be served, before you deploy it."
        return Item("Origin", "imported by hand", Mark.WARNING, remedy)
    return Item("Origin", "imported by hand", Mark.GOOD)
