"""The code that is pasted: for every type, and for names that mean harm."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from picsellia_jupyter.domain.deployments import DeploymentRecord, ServingState, Strategy
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.predictions import PREDICTION_TYPES
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.workflows.interconnection import Wiring, curl_code, python_code

RECORD = DeploymentRecord(
    id="0191",
    name="my-line",
    type=InferenceType.OBJECT_DETECTION,
    strategy=Strategy.MONITORING,
    state=ServingState.NOT_SERVED,
    model_version_id="1",
    model_title="pets:0",
    threshold=0.1,
    datalake_id="1",
    labels={0: "cat", 1: "dog", 2: "owl", 3: "yak"},
)
HOSTILE = "x'\"\n$(touch /tmp/x); import os #"


def wiring(record: DeploymentRecord = RECORD, organization: str | None = None) -> Wiring:
    return Wiring.of(record, "https://here", "https://there/", organization)


def test_the_program_is_short_and_names_the_deployment_and_its_labels():
    code = python_code(wiring())

    assert "client = Client(host='https://here')\n" in code
    assert "get_deployment_by_id('0191')" in code
    assert "detection_classes=[0],  # 0 is 'cat', 1 is 'dog', 2 is 'owl', …" in code
    assert "detection_boxes=[[10, 20, 110, 220]],  # [top, left, bottom, right]" in code
    assert len(code.splitlines()) < 45
    assert max(map(len, code.splitlines())) <= 92


def test_another_organization_than_the_default_one_is_named():
    code = python_code(wiring(organization="Second"))

    assert "Client(host='https://here', organization_name='Second')" in code


def test_curl_asks_the_monitoring_service_for_a_token_of_the_deployment():
    code = curl_code(wiring())

    assert "https://there/api/auth/login" in code
    assert "https://there/api/deployment/0191/predictions" in code
    assert "$PICSELLIA_TOKEN" in code


@pytest.mark.parametrize("kind", PREDICTION_TYPES)
def test_hostile_names_stay_names(kind: InferenceType):
    hostile = replace(RECORD, name=HOSTILE, type=kind, labels={0: HOSTILE})

    compile(python_code(wiring(hostile, HOSTILE)), "pasted", "exec")
    subprocess.run(["sh", "-n"], input=curl_code(wiring(hostile)), text=True, check=True)


def test_a_type_that_the_sdk_cannot_send_is_told():
    with pytest.raises(InvalidInputError) as told:
        wiring(replace(RECORD, type=InferenceType.MULTI))

    assert told.value.fact == (
        "'my-line' is of the type multi, whose predictions the SDK cannot send."
    )
    assert told.value.remedy.startswith("It sends classification, object detection, ")
