from __future__ import annotations

from dataclasses import replace

from picsellia_jupyter.domain.allowance import Allowance
from picsellia_jupyter.domain.deployments import Strategy
from picsellia_jupyter.domain.places import PlaceReport
from picsellia_jupyter.widgets import wording
from picsellia_jupyter.widgets.choices import Choices
from picsellia_jupyter.widgets.deploy_form import DeployForm, Field, judge
from tests.widgets.examples import ASKED, CHOICES, CLOUD, DETECTOR, GPU1, HERE, knowing, record

SERVING = DeployForm("detector:0", place="local")
MONITORING = DeployForm("detector:0", Strategy.MONITORING)


def test_each_strategy_says_who_hosts_what_is_connected_and_what_it_costs():
    serving, monitoring = (text.splitlines() for text, _ in wording.strategy_cards(CLOUD))

    assert serving == [
        "Picsellia Serving",
        "Hosted by Picsellia, on its GPUs.",
        "Predictions are logged by themselves.",
        "Uses MPU.",
    ]
    assert monitoring[0] == "Monitoring only"
    assert monitoring[-1] == "Uses no MPU."


def test_no_cost_is_made_up():
    told = replace(CHOICES, allowance=Allowance(12.5, "About 0.2 MPU an hour."))

    assert wording.strategy_cards(CHOICES)[0][0].endswith("This platform meters no MPU.")
    assert wording.cost(SERVING, CHOICES) == ""
    assert wording.cost(SERVING, told) == "12.5 MPU left. About 0.2 MPU an hour."
    assert wording.cost(MONITORING, told) == ""
    assert wording.cost(SERVING, replace(CHOICES, allowance=Allowance(None))) == (
        "No limit of MPU is set."
    )


def test_serving_is_refused_at_its_strategy_where_no_mpu_is_left():
    spent = replace(CHOICES, allowance=Allowance(0.0, quota=5.0))

    refused = judge(SERVING, spent).problems

    assert list(refused) == [Field.STRATEGY]
    assert str(refused[Field.STRATEGY]).startswith("No MPU is left for Picsellia Serving")
    assert judge(MONITORING, spent).problems == {}
    being_served = replace(spent, records=(record("line", DETECTOR),))
    assert judge(replace(SERVING, name="line"), being_served).problems == {}


def test_a_version_is_summed_up_in_a_line():
    known = knowing(CHOICES, DETECTOR, "model-latest")

    facts = "object detection · pytorch · 10 labels (0, 1, 2, 3, 4, 5 …)"
    assert wording.version_facts(DETECTOR, CHOICES) == facts
    assert wording.version_facts(DETECTOR, known) == f"{facts} · imported by hand"


def test_a_datalake_names_its_storage():
    assert wording.storage("press line", CHOICES) == (
        "Predicted images go to its own storage connector (c2)."
    )
    assert wording.storage("default", CHOICES) == (
        "Predicted images go to the default storage connector."
    )


def test_the_default_datalake_is_said_to_be_it():
    renamed = replace(CHOICES, lakes=(replace(CHOICES.lakes[0], name="press"), CHOICES.lakes[1]))

    assert [text for text, _ in wording.datalake_options(CHOICES)] == ["default", "press line"]
    assert wording.datalake_options(renamed)[0] == ("press (the default)", "press")
    assert wording.datalake_options(Choices()) == []


def test_places_say_what_they_have_once_they_have_answered():
    silent = replace(ASKED, reports=(PlaceReport(GPU1, trouble="It does not answer."),))

    assert [text for text, _ in wording.place_options(SERVING, CHOICES)] == [
        "This machine (local)",
        "gpu1",
    ]
    assert wording.place_options(MONITORING, ASKED) == [
        ("None: I serve it myself", ""),
        ("This machine (local): 2 cores, no GPU", "local"),
        ("gpu1: NVIDIA L4", "gpu1"),
    ]
    assert wording.place_options(SERVING, silent)[1][0] == "gpu1: does not answer"


def test_what_is_free_is_said_below_the_place():
    on_gpu = replace(SERVING, place="gpu1")

    assert wording.place_facts(SERVING, CHOICES) == "Asking what is free there …"
    assert wording.place_facts(on_gpu, ASKED) == (
        "NVIDIA L4, 20.1 of 22.5 GiB free. 1 model is served there now."
    )
    assert wording.place_facts(MONITORING, ASKED) == ""
    assert wording.device_options(on_gpu, ASKED) == [
        ("The best there is", "auto"),
        ("NVIDIA L4, 20 of 22 GiB free", "cuda:0"),
        ("CPU", "cpu"),
    ]
    assert HERE.name == "local"


def test_a_name_that_is_served_already_says_so():
    choices = replace(CHOICES, records=(record("my-line", DETECTOR),))
    form = replace(SERVING, name="my-line")

    assert wording.name_facts(judge(form, choices)) == (
        "my-line is there already: it is served again, not made twice."
    )
    assert wording.name_facts(judge(SERVING, choices)) == ""
