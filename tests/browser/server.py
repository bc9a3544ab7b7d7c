"""Starts JupyterLab or Notebook 7 with folders of its own, and leaves nothing of it behind."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx
import psutil

REPOSITORY = Path(__file__).parents[2]
LABEXTENSION = REPOSITORY / "picsellia_jupyter" / "labextension"
CONFIGURATION = REPOSITORY / "jupyter-config" / "jupyter_server_config.d"
SETTINGS = "@jupyterlab/apputils-extension"
START_TIMEOUT_S = 90.0


@dataclass(frozen=True)
class JupyterServer:
    """One running server on loopback."""

    kind: Literal["lab", "notebook"]
    url: str
    token: str
    folder: Path

    @property
    def root(self) -> Path:
        """What the file browser shows."""
        return self.folder / "root"

    @property
    def home(self) -> Path:
        """`PICSELLIA_JUPYTER_HOME` of its kernels."""
        return self.folder / "home"

    def log(self) -> str:
        return (self.folder / "jupyter.log").read_text(errors="replace")

    def address(self, notebook: str) -> str:
        place = "lab/tree" if self.kind == "lab" else "notebooks"
        return f"{self.url}{place}/{notebook}?reset&token={self.token}"

    def request(self, method: str, path: str, body: object = None) -> httpx.Response:
        headers = {"Authorization": f"token {self.token}"}
        reply = httpx.request(method, self.url + path, json=body, headers=headers, timeout=30)
        return reply.raise_for_status()

    def use_theme(self, theme: str) -> None:
        """Write the theme into the user's settings; a page shows it from its next load on."""
        body = {"raw": json.dumps({"theme": theme})}
        self.request("PUT", f"lab/api/settings/{SETTINGS}:themes", body)

    def shut_kernels_down(self) -> None:
        """End the notebooks' kernels first, then the serving kernels that they started."""
        for kind in ("sessions", "kernels"):
            for found in self.request("GET", f"api/{kind}").json():
                try:
                    self.request("DELETE", f"api/{kind}/{found['id']}")
                except httpx.HTTPStatusError as error:
                    # A serving kernel that was undeployed just now deletes itself meanwhile.
                    if error.response.status_code not in {404, 410}:
                        raise


@contextmanager
def running_jupyter(
    kind: Literal["lab", "notebook"], folder: Path, *options: str
) -> Iterator[JupyterServer]:
    """Start a server, wait until it answers, and end it with all its kernels."""
    _prepare(folder)
    token = secrets.token_hex(16)
    with (folder / "jupyter.log").open("w") as log:
        process = subprocess.Popen(
            [*_command(kind, folder / "root"), *options],
            env=_environment(folder, token),
            stdout=log,
            stderr=log,
        )
    try:
        yield _wait_until_up(process, kind, folder, token)
    finally:
        _end(process)
        _end_platform(folder / "home")


def _prepare(folder: Path) -> None:
    if not (LABEXTENSION / "package.json").exists():
        raise AssertionError(
            "The Lab extension is not built; in labextension/ run "
            "`jlpm install --immutable && jlpm build:prod`."
        )
    ignore = shutil.ignore_patterns(".ipynb_checkpoints")
    shutil.copytree(REPOSITORY / "notebooks", folder / "root", ignore=ignore)
    # The user's data folder comes first in Jupyter's search path where that of a virtual
    # environment is not preferred, so that what is tested is this tree's build.
    (folder / "data" / "labextensions").mkdir(parents=True)
    (folder / "data" / "labextensions" / "picsellia-jupyter").symlink_to(LABEXTENSION)
    (folder / "config").mkdir()
    (folder / "config" / CONFIGURATION.name).symlink_to(CONFIGURATION)
    news = folder / "settings" / SETTINGS / "notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text('{"fetchNews": "false", "checkForUpdates": false}')


def _command(kind: str, root: Path) -> list[str]:
    app = {"lab": "LabApp", "notebook": "JupyterNotebookApp"}[kind]
    return [
        *(sys.executable, "-m", "jupyterlab" if kind == "lab" else "notebook"),
        *("--no-browser", "--allow-root", f"--ServerApp.root_dir={root}"),
        *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", "--ServerApp.port_retries=0"),
        *("--LabApp.extension_manager=readonly", f"--{app}.expose_app_in_browser=True"),
    ]


def _environment(folder: Path, token: str) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PICSELLIA_", "JUPYTER", "JPY_"))
    }
    return kept | {
        "JUPYTER_TOKEN": token,
        "JUPYTER_PREFER_ENV_PATH": "0",  # see _prepare
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "PICSELLIA_JUPYTER_HOME": str(folder / "home"),
    }


def _wait_until_up(
    process: subprocess.Popen[bytes], kind: Literal["lab", "notebook"], folder: Path, token: str
) -> JupyterServer:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        for record in (folder / "runtime").glob("jpserver-*.json"):
            server = JupyterServer(kind, _address(record), token, folder)
            if _answers(server):
                return server
        time.sleep(0.1)
    log = (folder / "jupyter.log").read_text(errors="replace")
    raise AssertionError(f"Jupyter did not come up (exit code {process.poll()}):\n{log[-4000:]}")


def _address(record: Path) -> str:
    try:
        return str(json.loads(record.read_text())["url"])
    except ValueError:  # the server is still writing it
        return ""


def _answers(server: JupyterServer) -> bool:
    try:
        return bool(server.url) and server.request("GET", "api/status").status_code == 200
    except httpx.HTTPError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    _, left = psutil.wait_procs([psutil.Process(process.pid), *children], timeout=20)
    for straggler in left:
        straggler.kill()
    process.wait(timeout=10)


def _end_platform(home: Path) -> None:
    """End the local platform that the notebooks started in `home`, if they did."""
    record = home / "platform.json"
    if not record.exists():
        return
    try:
        platform = psutil.Process(json.loads(record.read_text())["pid"])
        if any("picsellia_jupyter" in word for word in platform.cmdline()):
            platform.terminate()
            platform.wait(timeout=20)
    except psutil.NoSuchProcess:
        return
