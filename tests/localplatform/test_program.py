"""The local platform as a program of its own."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
import uuid
from base64 import b64encode
from pathlib import Path

import httpx
import pytest

from picsellia_jupyter.wire.resources import PREDICTION_ID_KEY
from tests.breaking_off import break_off
from tests.platforms import start_fresh


@pytest.fixture(autouse=True)
def nothing_keeps_running(start_program, start_platform):
    yield
    start_program.stop_all()
    start_platform.stop_all()


def client(running) -> httpx.Client:
    headers = {"Authorization": f"Bearer {running.token}"}
    return httpx.Client(base_url=running.host, headers=headers, timeout=30)


def command(home, *extra):
    return [sys.executable, "-m", "picsellia_jupyter.localplatform", "--home", str(home), *extra]


def test_it_imports_nothing_heavy_and_nothing_of_a_notebook():
    code = (
        "import sys, picsellia_jupyter.localplatform.__main__, picsellia_jupyter.localplatform.app,"
        " picsellia_jupyter.localplatform.server\n"
        "heavy = {'torch', 'onnxruntime', 'IPython', 'ipywidgets', 'matplotlib', 'picsellia'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_clean_stop_keeps_the_token_and_the_port_for_the_next_run(start_program, tmp_path):
    first = start_program(tmp_path)
    assert json.loads((tmp_path / "platform.json").read_text())["pid"] == first.process.pid
    assert first.stop() == 0
    left = json.loads((tmp_path / "platform.json").read_text())
    assert (left["pid"], left["started_at"], left["token"]) == (None, None, first.token)
    second = start_program(tmp_path)
    assert (second.token, second.host) == (first.token, first.host)
    with client(second) as user:
        assert user.get("/api/home/ping").status_code == 200


def test_a_second_start_names_the_one_that_runs(start_platform, tmp_path):
    running = start_platform(tmp_path)
    second = subprocess.run(
        command(tmp_path, "--json"), capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 3
    assert json.loads(second.stdout) == {
        "host": running.host,
        "token": running.token,
        "organization": running.organization,
    }


def test_a_port_that_is_taken_is_named(start_platform, tmp_path):
    running = start_platform(tmp_path / "one")
    port = running.host.rsplit(":", 1)[1]
    other = subprocess.run(
        command(tmp_path / "two", "--port", port),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert other.returncode == 1
    assert f"Port {port} is taken" in other.stderr
    assert "Traceback" not in other.stderr


def test_it_stops_by_itself_after_its_idle_time(start_program, tmp_path):
    running = start_program(tmp_path, "--idle-exit", "0.5")
    assert running.process.wait(timeout=30) == 0


def test_an_interrupt_ends_it_as_cleanly_as_a_stop(start_program, tmp_path):
    running = start_program(tmp_path)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(timeout=30) == 0
    assert json.loads((tmp_path / "platform.json").read_text())["pid"] is None


@pytest.mark.skipif(os.name == "nt", reason="files have no such modes there")
def test_only_the_user_can_read_its_files_and_the_token_is_not_in_the_database(
    start_platform, tmp_path
):
    home = tmp_path / "home"
    running = start_platform(home)
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [home, *home.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    running.stop()
    assert running.token.encode() not in (home / "platform.sqlite3").read_bytes()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_listens_on_loopback_only(start_platform, tmp_path):
    running = start_platform(tmp_path)
    port = f"{int(running.host.rsplit(':', 1)[1]):04X}"
    with Path("/proc/net/tcp").open() as table:
        bound = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert [address for address in bound if address.endswith(port)] == [f"0100007F:{port}"]


def test_requests_are_answered_without_the_delay_of_nagle(start_platform, tmp_path):
    running = start_platform(tmp_path)
    with client(running) as user:
        user.get("/api/home/ping")
        times = []
        for _ in range(20):
            begun = time.perf_counter()
            user.post("/api/local/datalakes", json={"name": "x"})
            times.append(time.perf_counter() - begun)
    # The delay is at least 40 ms on every single request; a busy machine spares some.
    assert min(times) < 0.035


def test_what_was_acknowledged_survives_a_kill(start_platform, tmp_path):
    running = start_platform(tmp_path)
    acknowledged = []
    with client(running) as user:
        deployment = furnished(user)
        for number in range(12):
            acknowledged.append(recorded(running, deployment, number))
    running.kill()
    again = start_platform(tmp_path)
    assert again.host == running.host
    with client(again) as user:
        page = user.get(f"/api/deployment/{deployment}/predictedassets").json()
        found = {item["oracle_prediction_id"] for item in page["items"]}
        images = {len(httpx.get(item["data"]["presigned_url"]).content) for item in page["items"]}
        assert user.get(f"/api/deployment/{deployment}").json()["inferences"] == 12
    assert found == set(acknowledged)
    assert images == {len(PNG)}


def test_a_client_that_goes_away_in_the_middle_of_a_body_is_no_error_of_ours(
    start_program, tmp_path
):
    with (tmp_path / "log").open("wb") as log:
        running = start_program.keep(start_fresh(tmp_path / "home", log=log))
    with client(running) as user:
        deployment = furnished(user)
        organization = user.get("/api/home/ping").json()["default_organization"]
        url = upload_address(user, organization)
    login = {"api_token": running.token, "deployment_id": deployment}
    jwt = httpx.post(f"{running.host}/api/auth/login", json=login).json()["jwt"]

    break_off(running.host, "POST", f"/api/deployment/{deployment}/predictions", jwt)
    break_off(running.host, "POST", f"/api/organization/{organization}/models", running.token)
    break_off(running.host, "PUT", url.removeprefix(running.host), "")

    with client(running) as user:
        assert user.get("/api/home/ping").status_code == 200
        assert user.get(f"/api/deployment/{deployment}").json()["inferences"] == 0
    assert (tmp_path / "log").read_text() == ""


PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)


def furnished(user) -> str:
    organization = user.get("/api/home/ping").json()["default_organization"]
    model = user.post(f"/api/organization/{organization}/models", json={"name": "m"}).json()["id"]
    version = user.post(f"/api/model/{model}/versions", json={"type": "OBJECT_DETECTION"}).json()
    return user.post(f"/api/model/version/{version['id']}/deploy", json={}).json()["id"]


def upload_address(user, organization: str) -> str:
    """Where an image may be stored."""
    connector = user.get(f"/api/organization/{organization}").json()["default_connector_id"]
    path = f"/api/organization/{organization}/connector/{connector}/generate_object_name"
    name = user.post(path, json={"filename": "1.png", "type": "DATA"}).json()["object_name"]
    asked = {"object_name": name, "content_type": "image/png"}
    said = user.post(f"/api/object-storage/{connector}/generate_presigned_url", json=asked)
    return said.json()["presigned_url_data"]["url"]


def recorded(running, deployment: str, number: int) -> str:
    login = {"api_token": running.token, "deployment_id": deployment}
    jwt = httpx.post(f"{running.host}/api/auth/login", json=login).json()["jwt"]
    mine = str(uuid.uuid4())
    body = {
        "filename": f"{number}.png", "content_type": "IMAGE/PNG", "width": 1, "height": 1,
        "latency": 0.01, "image": b64encode(PNG).decode(),
        "custom_metadata": {PREDICTION_ID_KEY: mine},
        "raw_predictions": {
            "detection_classes": [], "detection_scores": [], "detection_boxes": [],
        },
    }  # fmt: skip
    reply = httpx.post(
        f"{running.host}/api/deployment/{deployment}/predictions",
        json=body, headers={"Authorization": f"Bearer {jwt}"}, timeout=30,
    )  # fmt: skip
    assert reply.status_code == 201, reply.text
    return mine
