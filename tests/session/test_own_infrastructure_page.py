"""What `docs/own-infrastructure.md` says is true."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import numpy as np
import pytest

import picsellia_jupyter
from picsellia_jupyter.session import Session
from picsellia_jupyter.workflows.outputs import boxes
from tests.session import own_servers
from tests.session.test_monitoring import jpeg

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-infrastructure.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def session(platform, tmp_path):
    return Session(platform.host, platform.token, home=tmp_path / "home")


def test_the_server_of_the_page_predicts_and_is_recorded(session, platform, tmp_path):
    record = own_servers.deployment(session)
    (tmp_path / "serve.py").write_text(next(b for b in BLOCKS if "FastAPI" in b), encoding="utf-8")
    environment = {
        "PATH": "", "PYTHONPATH": str(ROOT), "DEPLOYMENT": record.name,
        "PICSELLIA_HOST": platform.host, "PICSELLIA_TOKEN": platform.token,
        "PICSELLIA_JUPYTER_HOME": str(tmp_path / "home"),
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "serve:app", "--port", "0"],
        cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        said = iter(process.stderr.readline, "")
        address = next(f[1] for line in said if (f := re.search(r"(http://\S+)", line)))
        with httpx.Client(base_url=address, trust_env=False, timeout=60) as http:
            reply = http.post("/predict", files={"image": ("a.jpg", jpeg())}).raise_for_status()
            assert reply.json()["boxes"] == [[0, 0, 30, 40]]
            wrong = http.post("/predict", files={"image": ("a.jpg", b"no image")})
            assert (wrong.status_code, "no image" in wrong.text) == (422, True)
            assert record.name in http.get("/health").json()["monitor"]
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert own_servers.recorded(platform.home, record) == {reply.json()["id"]: 1}
    found, photo = session.platform.newest_prediction(record)
    assert (found.source, photo) == ("a.jpg", jpeg())


def test_the_first_blocks_of_the_page_run_as_they_stand(session, platform, monkeypatch):
    record = own_servers.deployment(session)
    beginning, wrapping = BLOCKS[:2]
    make = picsellia_jupyter.monitor
    monkeypatch.setattr(
        picsellia_jupyter, "monitor", lambda _name: make(record.id, session=session), raising=False
    )
    names = {"image": np.zeros((8, 8, 3), np.uint8), "model": lambda _image: []}
    exec(beginning + wrapping, names)
    assert names["detect"](names["image"]) == []
    assert names["monitor"].flush(60) == 0
    names["monitor"].close()
    assert len(own_servers.recorded(platform.home, record)) == 2


def test_every_convention_and_option_is_on_the_page():
    for name in boxes.CONVENTIONS[1:]:
        assert f"`{name}`" in PAGE
    for option in ("boxes=", "normalized=True", "labels=", 'channels="bgr"', 'full="drop"'):
        assert option in PAGE
