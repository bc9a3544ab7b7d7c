"""A server of the user's own: what the guide gives is run as it stands, by itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.predictions import PREDICTION_TYPES, Masks
from picsellia_jupyter.domain.registry import Framework, InferenceType
from picsellia_jupyter.domain.rle import decode
from picsellia_jupyter.handles.deployment import Deployment
from picsellia_jupyter.session import Session
from picsellia_jupyter.widgets.guide_check import CheckStep

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def session(platform) -> Session:
    return Session(platform.host, platform.token)


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """The folder that a server of the user's own runs in."""
    Image.new("RGB", (640, 480), (200, 210, 220)).save(tmp_path / "image.jpg")
    return tmp_path


def deployed(session: Session, kind: InferenceType, name: str) -> Deployment:
    platform = session.platform
    model = platform.create_model(name, "")
    labels = {0: "cat", 1: "dog"}
    version = platform.create_version(model, kind=kind, framework=Framework.ONNX, labels=labels)
    weights = Path(__file__).parent.parent.parent / "LICENSE"
    platform.store_file(version, "model-latest", weights)
    return session.deploy(f"{name}:0", strategy="monitoring", name=name)


def pasted(server: Path, code: str, *, token: str, shell: bool = False) -> tuple[int, str]:
    """Run code in a process of its own, which knows nothing but the token."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    program = ["sh"] if shell else [sys.executable]
    done = subprocess.run(
        [*program, "-"], check=False, cwd=server, env={**kept, "PICSELLIA_TOKEN": token},
        input=code, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout


def in_the_panel(deployment: Deployment) -> str:
    """What the guide's third tab shows once it has looked."""
    step = CheckStep(deployment.record, lambda act: act(deployment))
    step.begin()
    return str(step._picture.outputs)


@pytest.mark.parametrize("kind", PREDICTION_TYPES)
def test_the_python_and_the_curl_of_the_guide_each_send_a_prediction(
    session: Session, platform, server: Path, kind: InferenceType
):
    deployment = deployed(session, kind, f"own {kind.title}")
    guide = deployment.interconnect()
    assert platform.token not in guide.python + guide.curl + str(guide._repr_mimebundle_())

    status, said = pasted(server, guide.python, token=platform.token)
    assert status == 0, said
    by_python = deployment.wait_for_prediction(10)
    assert f"image.jpg is recorded as prediction {by_python.image.prediction_id}" in said
    status, said = pasted(server, guide.curl, token=platform.token, shell=True)
    by_curl = deployment.wait_for_prediction(10)
    assert by_curl.image.prediction_id in said

    assert by_python.image.prediction_id != by_curl.image.prediction_id
    for recorded in (by_python, by_curl):
        found = recorded.image.found
        assert found.inference_type is kind
        assert found.classes.tolist() == [0]
        assert found.scores.tolist() == [np.float32(0.9)]
        if isinstance(found, Masks):
            assert decode(found.masks[0], recorded.image.size).sum() == 100 * 200
        assert "image.jpg" in repr(recorded)
        assert "data:image/jpeg;base64," in recorded._repr_mimebundle_()["text/html"]
    shown = in_the_panel(deployment)
    assert "data:image/jpeg;base64," in shown
    assert "image.jpg · 640" in shown
    assert "cat" in shown


def test_a_wrong_token_is_told_by_what_was_pasted(session: Session, platform, server: Path):
    guide = deployed(session, InferenceType.POINT, "wrong token").interconnect()

    status, said = pasted(server, guide.python, token="wrong")
    assert status == 1
    assert "check api_token, organization and host" in said.splitlines()[-2]
    _, said = pasted(server, guide.curl, token="wrong", shell=True)
    assert "Not logged in: " in said
    assert "The API token is not accepted" in said
    _, said = pasted(server, guide.curl, token="", shell=True)
    assert "PICSELLIA_TOKEN: set it to your API token" in said


def test_a_deployment_that_is_gone_is_told_by_what_was_pasted(
    session: Session, platform, server: Path
):
    deployment = deployed(session, InferenceType.POINT, "gone")
    guide = deployment.interconnect()
    deployment.undeploy(delete=True)

    status, said = pasted(server, guide.python, token=platform.token)
    assert status == 1
    assert "There is no deployment" in said.splitlines()[-1]
    _, said = pasted(server, guide.curl, token=platform.token, shell=True)
    assert "Not logged in: " in said
    assert "There is no deployment" in said


def test_a_platform_that_is_away_is_told_by_what_was_pasted(
    start_platform, server: Path, tmp_path_factory: pytest.TempPathFactory
):
    running = start_platform(tmp_path_factory.mktemp("away"))
    session = Session(running.host, running.token)
    guide = deployed(session, InferenceType.POINT, "away").interconnect()
    # The platform goes while the server runs.
    paused = guide.python.replace(
        '\npredict_and_send("', '\nprint("runs", flush=True); input()\npredict_and_send("'
    )
    (server / "paused.py").write_text(paused)
    own_server = subprocess.Popen(
        [sys.executable, "paused.py"], cwd=server,
        env={**os.environ, "PICSELLIA_TOKEN": running.token},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert own_server.stdout is not None
    assert own_server.stdout.readline() == "runs\n"
    assert running.stop() == 0
    said, _ = own_server.communicate("go on\n", timeout=120)
    assert said.startswith("image.jpg is not recorded: ")
    assert "Connection" in said

    _, said = pasted(server, guide.curl, token=running.token, shell=True)
    assert "Could not connect to server" in said or "Failed to connect" in said
    assert "Not logged in: " in said


def test_the_model_files_are_downloaded_once(session: Session, tmp_path: Path):
    deployment = deployed(session, InferenceType.POINT, "files")

    (path,) = deployment.download(tmp_path / "server")
    first = path.stat().st_mtime_ns

    assert path.read_bytes() == (Path(__file__).parent.parent.parent / "LICENSE").read_bytes()
    assert deployment.download(tmp_path / "server") == [path]
    assert path.stat().st_mtime_ns == first


def test_a_prediction_that_does_not_come_is_not_waited_for_forever(session: Session):
    deployment = deployed(session, InferenceType.POINT, "silent")

    with pytest.raises(NotFoundError, match="No prediction of 'silent' has come in 0 s") as told:
        deployment.wait_for_prediction(0)

    assert "%interconnect silent" in told.value.remedy
