"""What the fields offer and show; widgets need no kernel for that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from picsellia_jupyter.domain.errors import ServingError
from picsellia_jupyter.domain.registry import InferenceType, Model
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.deploy_fields import MOST_OPTIONS, DeployFields
from picsellia_jupyter.widgets.deploy_form import Field, judge
from picsellia_jupyter.widgets.deploy_view import DeployView
from tests.widgets.examples import ASKED, CHOICES, version

MANY = replace(
    CHOICES,
    listed=tuple(
        Model(f"m{n}", f"m{n}", (version(f"m{n}", 0, InferenceType.OBJECT_DETECTION),))
        for n in range(1000)
    ),
)


@pytest.fixture
def fields() -> Iterator[DeployFields]:
    made = DeployFields()
    yield made
    made.close()


def shown(fields: DeployFields, choices: Choices, asked_for: str = "") -> DeployView:
    view = DeployView(fields)
    view.offer(choices, asked_for)
    form = fields.read()
    view.show(form, choices, judge(form, choices))
    return view


def test_nothing_can_be_deployed_until_the_registry_has_answered(fields: DeployFields):
    shown(fields, Choices())

    assert fields.deploy.disabled
    assert fields.model.options == (("Reading the Private Model Registry …", ""),)


def test_the_newest_version_is_offered_first_and_one_can_be_asked_for(fields: DeployFields):
    view = shown(fields, CHOICES)
    assert fields.model.value == "detector:1"

    view.offer(CHOICES, "classifier")
    assert fields.model.options[0] == ("classifier:0", "classifier:0")
    assert fields.model.value == "detector:1"


def test_a_version_that_was_asked_for_is_chosen(fields: DeployFields):
    shown(fields, CHOICES, "classifier:0")

    assert fields.model.value == "classifier:0"


def test_what_was_chosen_stays_chosen_as_more_is_learnt(fields: DeployFields):
    view = shown(fields, CHOICES)
    fields.place.value = "gpu1"

    view.offer(ASKED, "")

    assert fields.place.value == "gpu1"
    assert ("gpu1: NVIDIA L4", "gpu1") in fields.place.options
    assert ("NVIDIA L4, 20 of 22 GiB free", "cuda:0") in fields.device.options


def test_many_versions_are_searched(fields: DeployFields):
    view = shown(fields, MANY)
    assert len(fields.model.options) == MOST_OPTIONS
    assert fields.search.layout.display is None

    fields.search.value = "M77 :0"
    view.offer(MANY, "")

    assert [value for _, value in fields.model.options] == ["m77:0"] + [
        f"m77{n}:0" for n in range(10)
    ]


def test_an_empty_registry_says_how_to_fill_it(fields: DeployFields):
    shown(fields, Choices(is_read=True))

    assert fields.model.disabled
    assert fields.deploy.disabled
    assert "picsellia-jupyter demo seed" in fields._hints[Field.MODEL].value


def test_an_error_stays_until_something_is_changed(fields: DeployFields):
    view = shown(fields, CHOICES)
    form, verdict = fields.read(), judge(fields.read(), CHOICES)

    view.fail(Field.WHOLE, ServingError("It died.", "Try again.", log_tail=("line 1", "line 2")))
    view.show(form, CHOICES, verdict)
    said = fields._problems[Field.WHOLE].value
    assert "It died." in said
    assert "line 2" in said

    view.forget_failure()
    view.show(form, CHOICES, verdict)
    assert fields._problems[Field.WHOLE].value == ""


def test_closing_leaves_no_widget_in_the_kernel():
    from ipywidgets.widgets.widget import _instances

    before = set(_instances)
    made = DeployFields()
    shown(made, CHOICES)

    made.close()

    assert set(_instances) == before
