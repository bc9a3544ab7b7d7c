"""What Prometheus is told, read by its own parser."""

import asyncio
import os
import signal
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving import exposition, traffic
from picsellia_jupyter.serving.metering import Numbers
from picsellia_jupyter.serving.metrics import Metrics
from picsellia_jupyter.serving.readings import Readings
from picsellia_jupyter.serving.traffic import Requests
from tests.serving import fakes


def scrape(kernel, **headers):
    if not hasattr(kernel, "jwt"):
        kernel.jwt = kernel.login().json()["jwt"]
    reply = httpx.get(
        f"{kernel.program.address}/metrics",
        headers={"Authorization": f"Bearer {kernel.jwt}", **headers},
    )
    assert reply.status_code == 200
    return reply


def samples(text):
    """Values by name and labels, these in the order of their names; no family comes twice."""
    families = list(text_string_to_metric_families(text))
    assert len({family.name for family in families}) == len(families)
    return {
        (
            sample.name.removeprefix("picsellia_serving_"),
            *(v for _, v in sorted(sample.labels.items())),
        ): sample.value
        for family in families
        for sample in family.samples
    }


def figures(kernel):
    return samples(scrape(kernel).text)


def test_requests_are_counted_by_what_became_of_them(own):
    own.predict()
    own.predict()
    own.predict(b"no image")
    got = figures(own)
    assert got["requests_total", "success", "predict"] == 2
    assert got["requests_total", "refused", "predict"] == 1
    assert got["requests_total", "failure", "predict"] == 0
    assert got["requests_total", "success", "infer"] == 0
    assert got["request_duration_seconds_count", "predict"] == 3
    assert got["request_duration_seconds_bucket", "+Inf", "predict"] == 3
    assert got["request_duration_seconds_bucket", "0.001", "predict"] == 0
    assert 0.002 < got["request_duration_seconds_sum", "predict"] < 15
    assert got["requests_in_flight", "predict"] == 0
    assert got["nv_inference_request_success", "tiny", "0"] == 2
    assert got["nv_inference_request_failure", "tiny", "0"] == 1


def test_requests_of_the_open_inference_protocol_are_counted_too(own):
    own.jwt = own.login().json()["jwt"]
    reply = httpx.post(
        f"{own.program.address}/v2/models/photos/infer",
        headers={"Authorization": f"Bearer {own.jwt}"}, json={},
    )  # fmt: skip
    assert reply.status_code == 400
    assert figures(own)["requests_total", "refused", "infer"] == 1


def test_what_was_recorded_and_what_was_not_is_told(own):
    own.platform.refusals += [InvalidInputError("No.")] * 3
    own.predict(name="bad.jpg")
    own.predict(name="good.jpg")
    own.service.flush(10)
    got = figures(own)
    assert got["predictions_recorded_total",] == 1
    assert got["predictions_failed_total",] == 1
    assert got["predictions_pending",] == 0


def test_the_model_and_how_it_is_served_are_told(serving):
    serving.predict()
    got = figures(serving)
    assert got["ready",] == 1
    [told] = [name for name in got if name[0] == "model_info"]
    device, model, precision, runtime, sandbox, version = told[1:]
    assert (model, version, device, precision) == ("tiny", "0", "cpu", "fp32")
    assert runtime.startswith("onnxruntime ")
    assert sandbox in ("full", "process")
    assert 5e6 < got["worker_resident_memory_bytes", "0"] < 2e9
    assert got["queue_depth",] == got["in_flight",] == 0
    assert got["batch_size_count",] >= 1


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="it is read from /proc")
def test_the_fronts_own_memory_is_told_by_its_usual_name(serving):
    assert figures(serving)["process_resident_memory_bytes",] > 5e6


def test_a_worker_that_was_started_anew_is_counted(own):
    own.predict()
    assert figures(own)["worker_restarts_total",] == 0
    os.kill(own.service.worker_pid, signal.SIGKILL)
    fakes.wait_for(lambda: figures(own)["worker_restarts_total",] == 1)


def test_before_a_model_is_loaded_there_is_less_to_tell():
    text, _ = exposition.render("", {"predict": Requests()}, Readings(ready=False))
    got = samples(text.decode())
    assert got["ready",] == 0
    assert ("queue_depth",) not in got


def test_openmetrics_is_spoken_where_it_is_asked_for(serving):
    kind = "application/openmetrics-text; version=1.0.0"
    reply = scrape(serving, Accept=kind)
    assert reply.headers["content-type"].startswith(kind)
    assert list(openmetrics.text_string_to_metric_families(reply.text))


def test_batches_are_counted_by_their_size():
    numbers = Numbers(
        1, 1, queued=3, in_flight=2, queue_s=0.5, run_s=2.0, batches={1: 4, 3: 9, 200: 200}
    )
    text, _ = exposition.render("", {}, Readings(ready=True, workers=numbers))
    got = samples(text.decode())
    assert got["batch_size_bucket", "1.0"] == 4
    assert got["batch_size_bucket", "4.0"] == 7
    assert got["batch_size_bucket", "128.0"] == 7
    assert got["batch_size_bucket", "+Inf"] == got["batch_size_count",] == 8
    assert got["batch_size_sum",] == 213
    assert (got["queue_depth",], got["in_flight",]) == (3, 2)
    assert (got["queue_seconds_total",], got["model_seconds_total",]) == (0.5, 2)


@given(st.lists(st.tuples(st.none() | st.integers(200, 599), st.floats(0, 100)), max_size=20))
def test_every_request_is_in_one_outcome_and_one_bucket(answered):
    one = Requests()
    for status, seconds in answered:
        one.count(status, seconds)
    assert sum(one.outcomes.values()) == sum(one.buckets) == len(answered)
    for bound in traffic.SECONDS:
        below = sum(one.buckets[: traffic.SECONDS.index(bound) + 1])
        assert below == sum(seconds <= bound for _, seconds in answered)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "success"), (307, "success"), (400, "refused"), (413, "refused"), (429, "busy"),
     (503, "busy"), (504, "busy"), (500, "failure"), (502, "failure"), (None, "abandoned")],
)  # fmt: skip
def test_a_status_is_one_outcome(status, outcome):
    assert traffic.outcome_of(status) == outcome


def test_a_request_that_is_never_answered_is_counted_as_abandoned():
    async def app(_scope, _receive, _send):
        raise asyncio.CancelledError

    measured = Metrics(lambda: Readings(ready=True))
    scope = {"path": "/api/deployments/1/predict", "method": "POST"}
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(measured.around(app)(scope, None, None))
    predicting = measured._requests["predict"]
    assert predicting.outcomes["abandoned"] == 1
    assert predicting.in_flight == 0
