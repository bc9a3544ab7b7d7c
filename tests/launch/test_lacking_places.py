"""Jupyter servers whose kernels lack this package, or have another version of it."""

from __future__ import annotations

import json
import sys
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import picsellia_jupyter
from benchmarks.places.servers import TOKEN, jupyter_server
from picsellia_jupyter import __version__
from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.domain.errors import PackageMissingError
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.nursery import Nursery
from tests.platforms import fork

PACKAGE = Path(picsellia_jupyter.__file__).parent
LACKING = "import sys; sys.modules['picsellia_jupyter'] = None"
OLDER = "import picsellia_jupyter; picsellia_jupyter.__version__ = '0.0.7'"
INSTALL = "Add --install to %deploy, which installs this version in their environment."


@pytest.fixture(scope="module")
def session(nursery: Nursery, tmp_path_factory) -> Iterator[Session]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PICSELLIA_PLACE_TOKEN", TOKEN)
        try:
            fork(nursery, home)
            session = Session(home=home)
            seed(session)
            yield session
        finally:
            local_platform.stop(home)


@contextmanager
def server_with(home: Path, first: str, python: str = sys.executable) -> Iterator[JupyterServer]:
    """A server whose only kernelspec runs a line before it becomes a kernel."""
    spec = home / "data" / "kernels" / "other"
    spec.mkdir(parents=True)
    program = f"{first}\nfrom ipykernel.kernelapp import launch_new_instance as start\nstart()"
    # Isolated where it is another Python: the server's own PYTHONPATH would bring the package.
    argv = [python, *(["-I"] if python != sys.executable else [])]
    argv += ["-c", program, "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Other"}))
    options = (
        "--KernelSpecManager.allowed_kernelspecs=other",
        "--MultiKernelManager.default_kernel_name=other",
    )
    with jupyter_server(home, *options) as server:
        yield server


def test_a_place_without_the_package_is_told_with_the_option_that_installs_it(session, tmp_path):
    with server_with(tmp_path, LACKING) as server:
        with pytest.raises(PackageMissingError) as caught:
            session.deploy("digits-classifier", on=server.url)

        assert caught.value.fact.startswith(
            f"The kernels at {server.url} lack what serving needs: "
        )
        assert "picsellia_jupyter" in caught.value.fact
        assert caught.value.remedy == INSTALL
        assert JupyterClient(server).kernels() == []


def test_a_place_with_another_version_is_told_with_both(session, tmp_path):
    with server_with(tmp_path, OLDER) as server:
        with pytest.raises(PackageMissingError) as caught:
            session.deploy("digits-classifier", on=server.url)

        assert caught.value.fact == (
            f"The kernels at {server.url} have picsellia_jupyter 0.0.7, "
            f"this notebook has {__version__}."
        )
        assert caught.value.remedy == INSTALL
        assert JupyterClient(server).kernels() == []


def test_with_install_a_place_gets_this_version_and_serves(
    session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel_of_this_package(tmp_path / "wheels").parent))
    for option in ("PIP_NO_INDEX", "PIP_NO_DEPS", "PIP_IGNORE_INSTALLED"):
        monkeypatch.setenv(option, "1")
    python = python_without_this_package(tmp_path / "environment")
    with server_with(tmp_path, "pass", python) as server:
        with pytest.raises(PackageMissingError):
            session.deploy("digits-classifier", on=server.url)

        d = session.deploy("digits-classifier", on=server.url, install=True)

        assert not d.predict([path for path, _digit in catalog.digits()][:3]).failures
        d.undeploy()
        assert JupyterClient(server).kernels() == []


def python_without_this_package(folder: Path) -> str:
    """An environment with all that is installed here, but not this package; its interpreter.

    This package is here by a `.pth` file, which is not read in a folder that another one names.
    """
    venv.create(folder)
    (site,) = folder.glob("lib/python*/site-packages")
    here = [path for path in sys.path if Path(path).name == "site-packages"]
    (site / "here.pth").write_text("\n".join(here))
    return str(folder / "bin" / "python")


def wheel_of_this_package(folder: Path) -> Path:
    """As `python -m build` makes it, without metadata that pip has no use for here."""
    folder.mkdir()
    info = f"picsellia_jupyter-{__version__}.dist-info"
    path = folder / f"picsellia_jupyter-{__version__}-py3-none-any.whl"
    about = f"Name: picsellia_jupyter\nVersion: {__version__}\nProvides-Extra: serving\n"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in PACKAGE.rglob("*.*"):
            if file.suffix != ".pyc" and file.is_file():
                wheel.write(file, f"{PACKAGE.name}/{file.relative_to(PACKAGE)}")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\n{about}")
        tags = "Root-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: tests\n{tags}")
        names = [name for name in wheel.namelist() if not name.endswith("/")]
        wheel.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in names))
    return path
