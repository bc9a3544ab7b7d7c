"""A place's token is nowhere but where it is used: a notebook runs, and every sink is read."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from picsellia_jupyter.clients.jupyter import JupyterServer
from tests.jupyter_servers import RunningServer, running_server

pytestmark = pytest.mark.journey
WRONG = "wrong-canary-8f2b61d7c4"

SETUP = """
import logging, os, traceback, warnings
logging.basicConfig(level=logging.DEBUG)
warnings.simplefilter("always")
%load_ext picsellia_jupyter
from picsellia_jupyter import Session
from picsellia_jupyter.demo import catalog
URL, TOKEN, WRONG = os.environ["URL"], os.environ["CANARY"], os.environ["WRONG"]
PAGES = [path for path, _digit in catalog.digits()][:8]

def told(call):
    try:
        print(repr(call()))
    except Exception as error:
        # With all that it came from, and as Python would show it without IPython.
        traceback.print_exception(error)
        seen = error
        while seen is not None:
            print(type(seen), str(seen), repr(seen), seen.args, getattr(seen, "__notes__", ""))
            print({name: str(value) for name, value in vars(seen).items()})
            seen = seen.__cause__ or seen.__context__
"""

CELLS = (
    SETUP,
    "%places add gpu1 $URL",
    "%places",
    "d = %deploy digits-classifier --on gpu1 --name canary\nd",
    "d.predict(PAGES)",
    "%deployments",
    "%picsellia doctor",
    """s = Session()
e = s.deployment("canary")
e.predict(PAGES)
fleet = s._fleet
reached = list(fleet.reaches._tunnels.values())
client = fleet.places.client(fleet.places.parse("gpu1"))
for one in (s, s._settings, e, e.record, fleet, fleet.places, fleet.reaches, client, client.server,
            *reached, *(tunnel.state for tunnel in reached)):
    print(one, repr(one))""",
    # Addresses as they are copied from a browser: whole, without their scheme, broken, dead.
    """for address in (
    f"{URL}/nothing-here?token={WRONG}", f"{URL}/lab?token={WRONG}",
    f"{URL.removeprefix('http://')}/lab?token={WRONG}",
    f"{URL.removeprefix('http://')}?token={WRONG}",
    f"gpu-box/lab?token={WRONG}", f"htp://gpu-box/?token={WRONG}", f"http://[?token={WRONG}",
    f"http://127.0.0.1:1/?token={WRONG}",
    f"http://me:{WRONG}@gpu-box:8888", f"{URL}/?token={WRONG}%0A€",
):
    told(lambda: s.deploy("digits-classifier", on=address))
    told(lambda: s.add_place("gpu2", address))
told(s.places)""",
    "s.deploy('digits-classifier', on=f'{URL}/lab?token={WRONG}')",
    "%deploy digits-classifier --on {URL + '/nothing-here?token=' + WRONG}",
    """from picsellia_jupyter.launch.installing import install
told(lambda: install(client, "Picsellia", "picsellia_jupyter @ file:///nowhere/x-1-py3-none-any.whl"))
os.environ["PICSELLIA_PLACE_GPU1_TOKEN"] = WRONG
told(lambda: Session().deployment("canary").predict(PAGES))
os.environ["PICSELLIA_PLACE_GPU1_TOKEN"] = TOKEN""",
    "%undeploy canary",
    "told(lambda: d.predict(PAGES))",
)  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("elsewhere")) as server:
        yield server


@pytest.fixture(scope="module")
def sinks(home: Path, server: RunningServer, tmp_path_factory) -> dict[str, str]:
    """What can be read afterwards, by what it is."""
    folder = tmp_path_factory.mktemp("notebooks")
    notebook = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    with (
        pytest.MonkeyPatch.context() as environment,
        (folder / "kernel.out").open("w+b") as output,
        seen_while_it_runs(server.at) as seen,
    ):
        environment.setenv("PICSELLIA_JUPYTER_HOME", str(home))
        environment.setenv("PICSELLIA_PLACE_GPU1_TOKEN", server.at.token)
        environment.setenv("CANARY", server.at.token)
        environment.setenv("WRONG", WRONG)
        environment.setenv("URL", server.at.url)
        environment.setenv("IPYTHONDIR", str(folder / "ipython"))
        client = NotebookClient(
            notebook, timeout=240, allow_errors=True, resources={"metadata": {"path": folder}}
        )
        client.execute(stdout=output, stderr=output)
        output.seek(0)
        written = output.read().decode(errors="replace")
    return {
        "notebook": nbformat.writes(notebook),
        "kernel's own stdout and stderr": written,
        "command lines": "\n".join(seen["command lines"]),
        "kernels and sessions": "\n".join(seen["kernels"]),
        "files of the session": files(home, folder / "ipython"),
        "files of the serving kernel": files(server.folder / "home"),
    }


def test_the_notebook_got_to_where_the_token_is_used(sinks: dict[str, str], server, home: Path):
    shown = sinks["notebook"]

    assert "8 images predicted" in shown
    assert "No GPU: models run on the CPU" in shown or "GiB free" in shown
    assert "does not accept the token (403)" in shown
    assert "canary" in sinks["kernels and sessions"] or "Picsellia" in sinks["kernels and sessions"]
    assert "ipykernel" in sinks["command lines"]
    assert json.loads((home / "places.json").read_text())["gpu1"] == server.at.url


@pytest.mark.parametrize(
    "sink",
    [
        "notebook",
        "kernel's own stdout and stderr",
        "command lines",
        "kernels and sessions",
        "files of the session",
        "files of the serving kernel",
    ],
)
def test_no_token_of_a_place_is_in_a_sink(sinks: dict[str, str], sink: str, server: RunningServer):
    for token in (server.at.token, WRONG):
        lines = [line for line in sinks[sink].splitlines() if token in line]
        assert lines == []


@contextlib.contextmanager
def seen_while_it_runs(server: JupyterServer) -> Iterator[dict[str, set[str]]]:
    """All command lines of this machine, and the names a server shows, ten times a second."""
    seen: dict[str, set[str]] = {"command lines": set(), "kernels": set()}
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.1):
            for process in psutil.process_iter():
                with contextlib.suppress(psutil.Error):
                    seen["command lines"].add(" ".join(process.cmdline()))
            for path in ("kernels", "sessions"):
                seen["kernels"].add(asked(server, path))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        ended.set()
        looking.join()


def asked(server: JupyterServer, path: str) -> str:
    import httpx

    headers = {"Authorization": f"token {server.token}"}
    with httpx.Client(trust_env=False, timeout=10) as http:
        return http.get(f"{server.url}/api/{path}", headers=headers).text


def files(*folders: Path) -> str:
    """Everything in them, one line a piece of text between line ends or zero bytes."""
    found = []
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink():
                text = path.read_bytes().replace(b"\0", b"\n").decode("latin-1")
                found += [f"{os.path.relpath(path, folder)}: {line}" for line in text.splitlines()]
    return "\n".join(found)
