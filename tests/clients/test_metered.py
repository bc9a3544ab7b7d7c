"""MPU through the clients: on a real local platform, and where only a cloud's API is spoken."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.errors import InvalidInputError, PlatformError, QuotaSpentError

ORGANIZATION = "33333333-3333-4333-8333-333333333333"


class Cloud(BaseHTTPRequestHandler):
    """As much of a cloud as it takes to connect; it refuses everything else with 402."""

    def do_GET(self) -> None:
        known = {
            "/api/home/ping": {
                "username": "someone",
                "sdk_version": "6.37.0",
                "default_organization": ORGANIZATION,
            },
            f"/api/organization/{ORGANIZATION}": {
                "id": ORGANIZATION,
                "name": "acme",
                "default_connector_id": ORGANIZATION,
            },
        }
        found = known.get(self.path.partition("?")[0])
        body = json.dumps(found or {"message": "Payment required"}).encode()
        self.send_response(200 if found else 402)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def cloud():
    server = HTTPServer(("127.0.0.1", 0), Cloud)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield PlatformClient.connect(f"http://127.0.0.1:{server.server_port}", "a-token")
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def local(start_platform, tmp_path):
    running = start_platform(tmp_path / "home")
    return PlatformClient.connect(running.host, running.token)


def test_the_quota_and_the_rate_are_set_and_told_by_the_local_platform(local):
    assert local.usage().quota is None
    assert local.set_quota(20).left == 20.0
    assert local.set_rate(0.5).rate == 0.5
    allowance = local.allowance()
    assert (allowance.left, allowance.quota) == (20.0, 20.0)
    assert allowance.estimate == "About 0.5 MPU an hour of serving (our estimate)."
    assert local.mpu() == {"used": 0.0, "quota": 20.0}
    assert local.set_quota(None).left is None


def test_what_is_no_quota_is_refused_before_it_is_sent(local):
    with pytest.raises(InvalidInputError, match="A quota is a number of MPU from 0"):
        local.set_quota(-1)


def test_deploying_without_any_mpu_left_is_refused_through_the_sdk(local):
    local.set_quota(0)
    model = local.sdk_client.create_model("m")
    made = model.create_version(type="OBJECT_DETECTION", labels={"0": "a"}, framework="ONNX")
    from picsellia.exceptions import InsufficientResourcesError

    with pytest.raises(InsufficientResourcesError, match="No MPU is left for Picsellia Serving"):
        made.deploy("d")


def test_a_cloud_tells_no_usage_and_nothing_is_made_up(cloud):
    assert cloud.allowance() is None
    assert cloud.mpu() is None
    for ask in (cloud.usage, lambda: cloud.set_quota(5), lambda: cloud.set_rate(1)):
        with pytest.raises(PlatformError) as refused:
            ask()
        assert refused.value.remedy == f"See {cloud.pages.usage}"


def test_a_clouds_402_is_told_as_the_question_whether_the_quota_is_spent(cloud):
    with pytest.raises(QuotaSpentError) as refused:
        cloud.models()
    assert refused.value.fact == "Payment required. Is the quota spent?"
    assert refused.value.remedy.startswith(cloud.pages.usage)
