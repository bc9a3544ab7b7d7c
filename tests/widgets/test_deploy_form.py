from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picsellia_jupyter.domain.deployments import Strategy
from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidThresholdError,
    ModelLoadError,
    PackageMissingError,
    QuotaSpentError,
    ServingError,
)
from picsellia_jupyter.domain.links import LinkError, Trouble
from picsellia_jupyter.magics.deploy import DEPLOY
from picsellia_jupyter.magics.verb import words
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.deploy_form import (
    DeployForm,
    Field,
    default_place,
    field_of,
    judge,
    takes_place,
)
from picsellia_jupyter.workflows.deploying import DeployRequest
from tests.widgets.examples import CHOICES, CLASSIFIER, CLOUD, DETECTOR, knowing, record

MONITORING = Strategy.MONITORING


def problems(form: DeployForm, choices: Choices) -> dict[Field, str]:
    return {field: error.fact for field, error in judge(form, choices).problems.items()}


def test_a_form_makes_the_plan_that_it_stands_for():
    form = DeployForm("detector:0", MONITORING, 0.25, "press line", "gpu1", "cuda:0", "my-line")

    verdict = judge(form, CHOICES)

    assert verdict.problems == {}
    plan = verdict.plan
    assert plan is not None
    assert (plan.model_version, plan.strategy, plan.threshold) == (DETECTOR, MONITORING, 0.25)
    assert (plan.datalake.name, plan.place, plan.compute.device, plan.name) == (
        "press line", "gpu1", "cuda:0", "my-line",
    )  # fmt: skip


def test_a_new_form_starts_low():
    assert DeployForm().threshold == 0.1


def test_a_classification_is_asked_without_its_threshold():
    form = DeployForm("classifier:0", threshold=0.7, place="local")

    assert form.request(CHOICES).threshold is None
    assert judge(form, CHOICES).problems == {}
    assert "--threshold" not in form.request(CHOICES).line()


def test_the_cloud_is_asked_without_a_place():
    form = DeployForm("detector:0", place="local", device="cpu")

    assert not takes_place(Strategy.SERVING, CLOUD)
    assert (form.request(CLOUD).place, form.request(CLOUD).device) == (None, None)
    assert judge(form, CLOUD).problems == {}


@pytest.mark.parametrize(
    ("strategy", "choices", "place"),
    [
        (Strategy.SERVING, CHOICES, "local"),
        (Strategy.SERVING, CLOUD, ""),
        (MONITORING, CHOICES, ""),
    ],
)
def test_a_strategy_has_its_own_place(strategy: Strategy, choices: Choices, place: str):
    assert default_place(strategy, choices) == place


def test_the_only_datalake_is_not_named():
    one = replace(CHOICES, lakes=CHOICES.lakes[:1])

    assert DeployForm("detector:0", datalake="default").request(one).datalake is None


def test_each_error_is_at_its_own_field():
    choices = replace(CHOICES, records=(record("my-line", CLASSIFIER),))
    form = DeployForm("detector:0", threshold=7, place="local", name="my-line")

    assert problems(form, choices) == {
        Field.THRESHOLD: "A threshold lies in [0, 1]; got 7.",
        Field.NAME: "The deployment 'my-line' exists already: classifier:0, Picsellia Serving, "
        "datalake 'default'.",
    }


def test_a_version_without_the_file_that_is_served_is_wrong_itself():
    choices = knowing(CHOICES, DETECTOR, "weights")

    assert list(problems(DeployForm("detector:0", place="local"), choices)) == [Field.MODEL]


def test_a_version_that_is_gone_is_the_one_thing_that_is_wrong():
    assert list(problems(DeployForm("detector:7", name="x"), CHOICES)) == [Field.MODEL]


def test_a_place_that_answers_no_more_is_wrong_at_the_place():
    unsaved = replace(CHOICES, saved={})

    form = DeployForm("detector:0", MONITORING, place="https://:-1", device="cpu")
    assert Field.PLACE in problems(form, unsaved)


def test_the_name_of_the_same_deployment_is_no_error():
    known = record("my-line", DETECTOR)
    choices = replace(CHOICES, records=(known,))

    verdict = judge(DeployForm("detector:0", place="local", name="my-line"), choices)

    assert (verdict.problems, verdict.known) == ({}, known)


def test_nothing_is_judged_before_the_registry_was_read():
    verdict = judge(DeployForm(), Choices())

    assert (verdict.plan, verdict.problems) == (None, {})


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (InvalidThresholdError("it"), Field.THRESHOLD),
        (ConflictError("it"), Field.NAME),
        (QuotaSpentError("it"), Field.STRATEGY),
        (LinkError(Trouble.UNAUTHORIZED, "it"), Field.PLACE),
        (PackageMissingError("it"), Field.PLACE),
        (ModelLoadError("it"), Field.MODEL),
        (ServingError("it"), Field.WHOLE),
        (OSError("it"), Field.WHOLE),
    ],
)
def test_what_goes_wrong_later_is_shown_where_it_can_be_mended(error: Exception, field: Field):
    assert field_of(error) is field


# A word that begins with $ stands for a variable in a magic's line, and so cannot be said.
TYPED = st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1).filter(
    lambda word: word.strip() and not word.startswith("$")
)


@given(name=TYPED, datalake=TYPED, threshold=st.integers(0, 100))
def test_the_line_asks_for_what_the_form_says(name: str, datalake: str, threshold: int):
    asked = DeployRequest(
        "detector:0", "monitoring", threshold / 100, datalake, "gpu1", name, device="cuda:0"
    )

    line = asked.line()

    args = DEPLOY.arguments.parse_args(words(line.removeprefix("%deploy"), {}))
    assert (args.model, args.strategy, args.threshold) == (
        "detector:0",
        "monitoring",
        threshold / 100,
    )
    assert (args.name, args.datalake, args.on, args.device) == (name, datalake, "gpu1", "cuda:0")
    assert shlex.split(line)[0] == "%deploy"
