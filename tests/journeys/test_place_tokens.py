"""A place's token is nowhere but where it is used: a notebook runs, and every sink is read."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import nbformat
import psutil
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.session import Session
from tests.jupyter_servers import RunningServer, running_server

pytestmark = pytest.mark.journey
WORKER = "picsellia_jupyter.serving.worker"
WRONG = "wrong-canary-8f2b61d7c4"

SETUP = """
import contextlib, faulthandler, logging, os, pickle, signal, traceback, warnings
import psutil
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

def opened(one):
    # All that Python tells of an object, and what would be kept of it.
    print(type(one), str(one), repr(one))
    with contextlib.suppress(TypeError):
        print("vars of", type(one).__name__, vars(one))
    with contextlib.suppress(Exception):  # most hold connections, and cannot be
        print("pickle of", type(one).__name__, pickle.dumps(one).decode("latin-1"))

def worker_of(deployment):
    of_kernel = deployment.record.serving.kernel_id
    for one in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if "picsellia_jupyter.serving.worker" in one.cmdline():
                if any(of_kernel in word for word in one.parent().cmdline()):
                    return one
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
found = e.predict(PAGES)
for one in (s, s._settings, s._settings.place_tokens, s.platform, s.names(), s.status(), s.usage(),
            s.registry(), s.deployments(), s.doctor(), d, e, e.record, e._endpoint, found, found[0],
            fleet, fleet.places, fleet.reaches, client, client.server,
            *reached, *(tunnel.state for tunnel in reached)):
    opened(one)""",
    "from IPython.display import display\ndisplay(get_ipython().run_line_magic('deploy', ''))",
    "%deployment canary",
    """from ipywidgets import Widget
print(Widget.get_manager_state())
print(_ih, _oh)""",
    # A worker that crashes leaves its stack in its log, and this kernel's is written here.
    """with open("crash.txt", "w") as dump:
    faulthandler.dump_traceback(dump, all_threads=True)
crashing = worker_of(e)
crashing.send_signal(signal.SIGSEGV)
crashing.wait(30)
told(lambda: e.predict(PAGES))""",
    "%xmode Verbose",
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
    (folder / "ipython").mkdir()
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
            notebook,
            timeout=240,
            allow_errors=True,
            resources={"metadata": {"path": folder}},
            ipython_hist_file=str(folder / "ipython" / "history.sqlite"),
        )
        client.execute(stdout=output, stderr=output)
        output.seek(0)
        written = output.read().decode(errors="replace")
    return {
        "notebook": nbformat.writes(notebook),
        "kernel's own stdout and stderr": written,
        "command lines": "\n".join(seen["command lines"]),
        "environment of workers": "\n".join(seen["environments"]),
        "widget state": json.dumps(notebook.metadata.get("widgets", {})),
        "crash dumps": files(folder / "crash.txt") + crashes(server.folder / "home"),
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
    # Each sink was filled.
    assert "vars of Session" in shown
    assert "vars of PlatformClient" in shown
    assert "pickle of DeploymentRecord" in shown
    assert "PATH=" in sinks["environment of workers"]
    assert "state" in sinks["widget state"]
    assert "Current thread" in sinks["crash dumps"]
    assert "Segmentation fault" in sinks["crash dumps"]
    assert "history.sqlite" in sinks["files of the session"]
    assert json.loads((home / "places.json").read_text())["gpu1"] == server.at.url


SINKS = (
    "notebook", "kernel's own stdout and stderr", "command lines", "environment of workers",
    "widget state", "crash dumps", "kernels and sessions",
)  # fmt: skip
FILES = ("files of the session", "files of the serving kernel")


@pytest.mark.parametrize("sink", SINKS + FILES)
def test_no_token_of_a_place_is_in_a_sink(sinks: dict[str, str], sink: str, server: RunningServer):
    for token in (server.at.token, WRONG):
        assert lines_with(token, sinks[sink]) == []


@pytest.mark.parametrize("sink", SINKS)
def test_the_platform_s_token_is_in_its_own_files_alone(
    sinks: dict[str, str], sink: str, home: Path
):
    token = Session(home=home).platform.token
    assert lines_with(token, sinks[sink]) == []
    kept = {line.partition(":")[0] for line in lines_with(token, sinks[FILES[0]])}
    assert kept == {"platform.json"}


def lines_with(token: str, text: str) -> list[str]:
    return [line[:200] for line in text.splitlines() if token in line]


@contextlib.contextmanager
def seen_while_it_runs(server: JupyterServer) -> Iterator[dict[str, set[str]]]:
    """All command lines of this machine, and the names a server shows, ten times a second."""
    seen: dict[str, set[str]] = {
        name: set() for name in ("command lines", "environments", "kernels")
    }
    ended, known = threading.Event(), Processes()

    def look() -> None:
        with asking(server) as http:
            while not ended.wait(0.1):
                for process in known.new():
                    note(process, seen)
                seen["kernels"] |= {http.get(path).text for path in ("kernels", "sessions")}

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        ended.set()
        looking.join()


class Processes:
    """What runs on this machine; each is told of in its first second, as it may still `exec`."""

    def __init__(self) -> None:
        self._since: dict[int, float] = {}

    def new(self) -> Iterator[psutil.Process]:
        now = time.monotonic()
        self._since = {pid: self._since.get(pid, now) for pid in psutil.pids()}
        for pid, since in self._since.items():
            with contextlib.suppress(psutil.Error):
                if now - since < 1.0:
                    yield psutil.Process(pid)


def note(process: psutil.Process, seen: dict[str, set[str]]) -> None:
    with contextlib.suppress(psutil.Error):
        line = process.cmdline()
        seen["command lines"].add(" ".join(line))
        if WORKER in line:
            said = process.environ().items()
            seen["environments"] |= {f"{name}={value}" for name, value in said}


def asking(server: JupyterServer) -> httpx.Client:
    headers = {"Authorization": f"token {server.token}"}
    return httpx.Client(base_url=f"{server.url}/api", headers=headers, trust_env=False, timeout=10)


def crashes(home: Path) -> str:
    """The logs of workers that crashed."""
    logs = [path for path in home.rglob("*.log") if "Segmentation fault" in path.read_text()]
    return "\n".join(files(path) for path in logs)


def files(*folders: Path) -> str:
    """Everything in them, one line a piece of text between line ends or zero bytes."""
    found = []
    for folder in folders:
        for path in folder.rglob("*") if folder.is_dir() else [folder]:
            if path.is_file() and not path.is_symlink():
                text = path.read_bytes().replace(b"\0", b"\n").decode("latin-1")
                found += [f"{os.path.relpath(path, folder)}: {line}" for line in text.splitlines()]
    return "\n".join(found)
