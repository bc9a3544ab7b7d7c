"""Jupyter servers whose kernels lack this package, or have another version of it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.places.servers import TOKEN, jupyter_server
from picsellia_jupyter import __version__
from picsellia_jupyter.clients.jupyter import JupyterClient, JupyterServer
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.domain.errors import PackageMissingError
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session

LACKING = "import sys; sys.modules['picsellia_jupyter'] = None"
OLDER = "import picsellia_jupyter; picsellia_jupyter.__version__ = '0.0.7'"
INSTALL = "Add --install to %deploy, which installs this version in their environment."


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Iterator[Session]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PICSELLIA_PLACE_TOKEN", TOKEN)
        try:
            session = Session(home=home)
            seed(session)
            yield session
        finally:
            local_platform.stop(home)


@contextmanager
def server_with(home: Path, first: str) -> Iterator[JupyterServer]:
    """A server whose only kernelspec runs a line before it becomes a kernel."""
    spec = home / "data" / "kernels" / "other"
    spec.mkdir(parents=True)
    program = f"{first}\nfrom ipykernel.kernelapp import launch_new_instance as start\nstart()"
    argv = [sys.executable, "-c", program, "-f", "{connection_file}"]
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
