"""One kernel with one session for all pages, in a folder with the files that they speak of."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from benchmarks.places.servers import TOKEN, jupyter_server
from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.docs import models
from tests.nursery import Nursery
from tests.platforms import fork

BEGINNING = """
%load_ext picsellia_jupyter
from picsellia_jupyter import Session
s = session = Session()
d = s.deploy("digits-detector", threshold=0.3, name="digits-detector")
found = d.predict("pages/")
"""


class Kernel:
    """A notebook's kernel that pages are typed into."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        """Start it.

        Args:
            folder: its working directory.
            environment: the whole of it.
        """
        self._client = NotebookClient(
            nbformat.v4.new_notebook(), timeout=120, resources={"metadata": {"path": str(folder)}}
        )
        self._client.create_kernel_manager()
        self._client.start_new_kernel(env=environment)
        self._client.start_new_kernel_client()

    def run(self, source: str) -> str:
        """Run a cell; its text outputs.

        Raises:
            CellExecutionError: with the traceback.
        """
        cell = nbformat.v4.new_code_cell(source)
        self._client.nb.cells.append(cell)
        self._client.execute_cell(cell, len(self._client.nb.cells) - 1)
        return "\n".join(map(_text, cell.outputs))

    def end(self) -> None:
        self._client._cleanup_kernel()


def _text(output: nbformat.NotebookNode) -> str:
    return str(output.get("text") or output.get("data", {}).get("text/plain", ""))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pages are typed: with the files that they name."""
    made = tmp_path_factory.mktemp("pages")
    (made / "pages").mkdir()
    for page in catalog.pages()[:6]:
        shutil.copy(page, made / "pages")
    shutil.copy(catalog.pages()[19], made / "page.jpg")
    models.yolo(made / "best.onnx")
    models.yolo(made / "model.onnx")
    models.torchvision(made / "detector.onnx")
    return made


@pytest.fixture(scope="module")
def home(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("home")
    try:
        fork(nursery, made)
        seed(Session(home=made))
        yield made
    finally:
        local_platform.stop(made)


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    with jupyter_server(tmp_path_factory.mktemp("elsewhere")) as server:
        yield server


@pytest.fixture(scope="module")
def kernel(folder: Path, home: Path) -> Iterator[Kernel]:
    environment = {
        **{name: said for name, said in os.environ.items() if not name.startswith("PICSELLIA_")},
        "PICSELLIA_JUPYTER_HOME": str(home),
        "PICSELLIA_PLACE_TOKEN": TOKEN,
    }
    started = Kernel(folder, environment)
    try:
        started.run(BEGINNING)
        yield started
    finally:
        started.end()
