"""What the sidebar asks of a real Jupyter server, which asks a real local platform."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from picsellia_jupyter.domain.registry import Framework, InferenceType
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.jupyter_servers import RunningServer

LABELS = {0: "zero", 1: "one"}


@pytest.fixture(scope="module")
def session(server: RunningServer) -> Iterator[Session]:
    """A session on the server's own local platform."""
    home = server.folder / "home"
    yield Session(home=home)
    local_platform.stop(home)


@pytest.fixture(scope="module")
def made(server, session, tmp_path_factory) -> dict[str, str]:
    """Two models, one with a file and a deployment: ids by name."""
    platform = session.platform
    versions = {}
    for name, count in (("digits", 2), ("Cracks", 1)):
        model = platform.create_model(name, "")
        for number in range(count):
            version = platform.create_version(
                model,
                kind=InferenceType.OBJECT_DETECTION,
                framework=Framework.ONNX,
                labels=LABELS,
            )
            versions[f"{name}:{number}"] = version.id
    path = tmp_path_factory.mktemp("files") / "digits.onnx"
    path.write_bytes(b"weights")
    version = platform.model_version(versions["digits:0"])
    platform.store_file(version, "model-latest", path)
    deployment = session.deploy("digits:0", strategy="monitoring", name="press-line")
    return versions | {"press-line": deployment.id}


def test_the_overview_starts_no_platform_unless_it_is_to_wake(server):
    said = _get(server, "overview")
    assert said == {"connected": False, "platform": None, "mpu": None, "deployments": []}
    assert not (server.folder / "home" / "platform.json").exists()


def test_the_overview_tells_the_platform_and_its_deployments(server, made):
    said = _get(server, "overview", wake="1")
    assert said["connected"] is True
    assert said["platform"]["kind"] == "local"
    assert said["mpu"] == {"used": 0.0, "quota": None}
    assert said["deployments"] == [
        {
            "id": made["press-line"],
            "name": "press-line",
            "model": "digits:0",
            "strategy": "Monitoring only",
            "state": "not served",
            "running": False,
            "reason": "",
            "place": "",
            "predictions": 0,
            "alerts": [],
            "training": None,
            "url": None,
        }
    ]
    assert _get(server, "overview")["connected"] is True  # it runs now


def test_models_are_told_by_name_and_their_versions_newest_first(server, made):
    told = _get(server, "registry")["models"]
    titles = [[version["title"] for version in model["versions"]] for model in told]
    assert titles == [["Cracks:0"], ["digits:1", "digits:0"]]
    assert told[1]["versions"][1] == {
        "id": made["digits:0"],
        "title": "digits:0",
        "name": told[1]["versions"][1]["name"],
        "version": 0,
        "type": "object detection",
        "framework": "onnx",
        "labels": 2,
    }


def test_the_files_of_a_version_are_told(server, made):
    told = _get(server, f"versions/{made['digits:0']}/files")["files"]
    assert told == [{"name": "model-latest", "filename": "digits.onnx"}]
    assert _get(server, f"versions/{made['digits:1']}/files")["files"] == []


def test_a_deployment_without_a_serving_kernel_has_no_log(server, made):
    reply = _ask(server, "GET", f"deployments/{made['press-line']}/log")
    assert reply.status_code == 404
    assert reply.json() == {
        "message": "'press-line' has no serving kernel, and so no log.",
        "detail": "Serve it with: %deploy digits:0 --on local --name press-line",
        "error": "NotFoundError",
    }


def test_the_log_of_a_serving_kernel_is_told_to_its_last_lines(server, session, made):
    _report(session, made["press-line"], "kernel-1")
    folder = server.folder / "home" / "cache" / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"line {number}" for number in range(600)]
    (folder / "kernel-1.log").write_text("\n".join(f"\x1b[0;93m{line}\x1b[m" for line in lines))
    assert _get(server, f"deployments/{made['press-line']}/log")["lines"] == lines[-500:]

    _report(session, made["press-line"], "kernel-2", place="gpu1")
    reply = _ask(server, "GET", f"deployments/{made['press-line']}/log")
    assert reply.json()["message"] == "The log of 'press-line' is not on this machine."
    assert "served at gpu1" in reply.json()["detail"]


def test_alerts_that_fire_are_told_by_name(server, session, made):
    deployment = made["press-line"]
    alert = {"name": "slow", "metric": "latency", "operator": ">", "limit": 0.5}
    send = session.platform._send
    send("post", f"/api/local/deployments/{deployment}/alerts", alert)
    for latency in (0.4, 0.6):
        _predict(server.folder / "home", deployment, latency)
    told = _get(server, "overview")["deployments"][0]
    assert told["predictions"] == 2
    [fired] = told["alerts"]
    assert (fired["name"], fired["value"], fired["over"]) == ("slow", 0.6, False)


def test_an_unknown_deployment_is_answered_with_the_nearest_name(server, made):
    del made
    reply = _ask(server, "POST", "deployments/press-lime/stop")
    assert reply.status_code == 404
    assert "Did you mean 'press-line'?" in reply.json()["detail"]


def test_a_body_with_wishes_is_refused(server, made):
    path = f"deployments/{made['press-line']}/stop"
    assert _ask(server, "POST", path, json={"delete": True}).status_code == 400


def test_a_stop_ends_the_kernel_and_leaves_the_deployment(server, made):
    reply = _ask(server, "POST", f"deployments/{made['press-line']}/stop")
    assert reply.status_code == 200, reply.text
    assert reply.json()["deployment"]["name"] == "press-line"


@pytest.mark.parametrize(
    "host", ["http://example.test", "ftp://app.picsellia.com", "https://", "localhost:8000"]
)
def test_no_token_is_sent_to_an_address_that_is_not_safe(server, host):
    reply = _ask(server, "GET", "overview", params={"platform": host, "wake": "1"})
    assert reply.status_code == 400
    assert reply.json()["message"] == "The platform in the settings is no https address."


def test_the_server_answers_others_while_a_platform_is_silent(server, made):
    del made
    running = local_platform.find(server.folder / "home")
    assert running is not None
    with ThreadPoolExecutor() as pool:
        os.kill(running.pid, signal.SIGSTOP)
        try:
            asked = pool.submit(_ask, server, "GET", "registry")
            for _ in range(3):
                assert server.request("GET", "/api/status").status_code == 200
            assert not asked.done()
        finally:
            os.kill(running.pid, signal.SIGCONT)
        assert asked.result(timeout=60).status_code == 200


def _get(server: RunningServer, path: str, **query: str) -> dict:
    reply = _ask(server, "GET", path, params=query)
    assert reply.status_code == 200, reply.text
    assert reply.headers["Cache-Control"] == "no-store"
    return reply.json()


def _ask(server: RunningServer, method: str, path: str, **how) -> httpx.Response:
    headers = {"Authorization": f"token {server.at.token}"}
    url = f"{server.at.url}/picsellia/api/{path}"
    return httpx.request(method, url, headers=headers, timeout=90, trust_env=False, **how)


def _report(session: Session, deployment: str, kernel_id: str, place: str = "local") -> None:
    """Say what a serving kernel would say of itself."""
    kernel = {"kernel_id": kernel_id, "address": "http://127.0.0.1:1", "place": place, "pid": 1}
    beat = {"state": "ready", "reason": "", "kernel": kernel, "claim": True}
    session.platform._send("post", f"/api/local/deployments/{deployment}/heartbeat", beat)


def _predict(home: Path, deployment: str, latency: float) -> None:
    """Record a prediction as a serving kernel would."""
    running = local_platform.find(home)
    assert running is not None
    login = {"api_token": running.token, "deployment_id": deployment}
    with httpx.Client(base_url=running.host, trust_env=False) as http:
        token = http.post("/api/auth/login", json=login).raise_for_status().json()["jwt"]
        body = {
            "filename": "page.png",
            "content_type": "IMAGE/PNG",
            "width": 64,
            "height": 64,
            "latency": latency,
            "sample": False,
            "raw_predictions": {
                "detection_classes": [1],
                "detection_scores": [0.9],
                "detection_boxes": [[2, 1, 20, 30]],
            },
        }
        path = f"/api/deployment/{deployment}/predictions"
        headers = {"Authorization": f"Bearer {token}"}
        http.post(path, json=body, headers=headers).raise_for_status()
