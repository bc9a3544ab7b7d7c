"""A serving kernel whose MPU are spent: it says so, refuses work, and goes on with more."""

from picsellia_jupyter.domain.deployments import ServingState
from tests.serving import fakes

WHY = "No MPU is left for Picsellia Serving: 5 of 5 MPU are used."


def pause(kernel):
    kernel.platform.paused = WHY
    fakes.wait_for(lambda: kernel.service.status.state is ServingState.PAUSED)


def test_a_paused_kernel_refuses_predictions_with_402_and_says_who_to_ask(own):
    pause(own)
    reply = own.predict()
    assert reply.status_code == 402
    said = reply.json()
    assert (said["error"], said["message"]) == ("QuotaSpentError", WHY)
    assert "picsellia-jupyter usage set --quota" in said["detail"]
    assert own.platform.recorded == []


def test_a_paused_kernel_says_so_to_the_platform_and_to_probes(own):
    pause(own)
    fakes.wait_for(lambda: own.platform.beats[-1].state is ServingState.PAUSED)
    assert own.platform.beats[-1].reason == WHY
    ready = own.control.get("/health/ready")
    assert (ready.status_code, ready.json()["state"]) == (503, "paused")
    assert own.status()["state"] == "paused"


def test_a_paused_kernel_goes_on_once_the_platform_lets_it(own):
    pause(own)
    own.platform.paused = ""
    fakes.wait_for(lambda: own.service.status.state is ServingState.READY)
    assert own.predict().status_code == 200
    assert own.status()["detail"] == ""


def test_a_paused_kernel_stops_as_any_other(own):
    pause(own)
    own.service.stop("enough")
    assert own.service.status.state is ServingState.STOPPED
    assert own.platform.beats[-1].state is ServingState.STOPPED
