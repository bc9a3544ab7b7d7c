"""What `docs/own-infrastructure.md` says is true."""

import re
import subprocess
import sys
from contextlib import contextmanager
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


FORKING = """
# As gunicorn --preload does it: the program is imported once, then forked.
import os, signal, socket, sys
import serve, uvicorn
listener = socket.create_server(("127.0.0.1", 0))
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        uvicorn.Server(uvicorn.Config(serve.app, log_level="error")).run(sockets=[listener])
        os._exit(0)
    children.append(child)
signal.signal(signal.SIGTERM, lambda *_: [os.kill(child, signal.SIGTERM) for child in children])
print("http://127.0.0.1:%d" % listener.getsockname()[1], file=sys.stderr, flush=True)
listener.close()
for child in children:
    os.waitpid(child, 0)
"""


@contextmanager
def served(record, platform, folder, *program):
    """The server of the page, run by a program; its address."""
    (folder / "serve.py").write_text(next(b for b in BLOCKS if "FastAPI" in b), encoding="utf-8")
    environment = {
        "PATH": "", "PYTHONPATH": str(ROOT), "DEPLOYMENT": record.name,
        "PICSELLIA_HOST": platform.host, "PICSELLIA_TOKEN": platform.token,
        "PICSELLIA_JUPYTER_HOME": str(folder / "home"),
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, *program], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        said = iter(process.stderr.readline, "")
        yield next(f[1] for line in said if (f := re.search(r"(http://\S+)", line)))
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_the_server_of_the_page_predicts_and_is_recorded(session, platform, tmp_path):
    record = own_servers.deployment(session)
    with (
        served(record, platform, tmp_path, "-m", "uvicorn", "serve:app", "--port", "0") as address,
        httpx.Client(base_url=address, trust_env=False, timeout=60) as http,
    ):
        reply = http.post("/predict", files={"image": ("a.jpg", jpeg())}).raise_for_status()
        assert reply.json()["boxes"] == [[0, 0, 30, 40]]
        wrong = http.post("/predict", files={"image": ("a.jpg", b"no image")})
        assert (wrong.status_code, "no image" in wrong.text) == (422, True)
        assert record.name in http.get("/health").json()["monitor"]
    assert own_servers.recorded(platform.home, record) == {reply.json()["id"]: 1}
    found, photo = session.platform.newest_prediction(record)
    assert (found.source, photo) == ("a.jpg", jpeg())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no os.fork")
def test_the_server_of_the_page_may_be_forked_after_it_was_imported(session, platform, tmp_path):
    record, ids = own_servers.deployment(session), set()
    (tmp_path / "forking.py").write_text(FORKING, encoding="utf-8")
    with served(record, platform, tmp_path, "forking.py") as address:
        for _ in range(20):
            # On a connection of its own, so that either process may take it.
            with httpx.Client(base_url=address, trust_env=False, timeout=60) as http:
                reply = http.post("/predict", files={"image": ("a.jpg", jpeg())})
                ids.add(reply.raise_for_status().json()["id"])
    assert own_servers.recorded(platform.home, record) == dict.fromkeys(ids, 1)
    assert len(ids) == 20
    assert list((tmp_path / "home" / "cache" / "spool").glob("*/*")) == []


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
