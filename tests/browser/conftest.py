"""A real JupyterLab (or Notebook 7) in a real browser; nothing leaves this machine.

What a test asks for:

    jupyter_lab         a running JupyterLab: `.root` (a copy of notebooks/), `.url`, `.token`,
                        `.home` (its own local platform's data), `.log()`
    jupyter_notebook    the same for Notebook 7
    lab_page            a fresh browser window on `jupyter_lab`; fails the test at its end when the
                        console showed an error or a request left 127.0.0.1
    notebook_page       the same on `jupyter_notebook`
    viewer              a plain page, without network, for outputs with the viewer (viewer_page.py)
    write_notebook      fixture function: (server, name, *sources) -> None, one code cell a source

What a page (page.py) can do, each with its own deadline:

    lab_page.open("01_deploy.ipynb")          until its kernel is idle
    lab_page.run_all(timeout_s=180)           until every cell ran; fails with a cell's traceback
    lab_page.cells()                          [Cell(kind, source, execution_count, outputs)]
    lab_page.execute("picsellia:deploy")      a command of the application, by id
    lab_page.wait_for_cell("%deploy")         until a cell with this source ran; returns the Cell
    lab_page.wait_for("js expression")        until it is true
    lab_page.wait_for_answer("live", "False")  until the kernel says so of an expression
    lab_page.cell(3)                          Playwright locator of a cell, for what is *seen* in it
    lab_page.use_theme("dark")                light | dark
    lab_page.screenshots("quickstart")        build/screenshots/quickstart-{light,dark}.png
    lab_page.page                             the Playwright page, for everything else

A test of a notebook from end to end:

    def test_the_quickstart_shows_boxes(lab_page):
        lab_page.open("01_deploy.ipynb")
        lab_page.run_all(timeout_s=180)
        expect(lab_page.cell(4).locator("img")).to_have_count(1)
        lab_page.screenshots("quickstart", cell=4)

Servers, the browser and the viewer's window live as long as the tests of this folder, other pages
as long as a test. Give each test its own notebook.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, BrowserContext, Playwright, ViewportSize, sync_playwright

from picsellia_jupyter.launch import local_platform
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer, running_jupyter
from tests.browser.viewer_page import ViewerPage
from tests.nursery import Nursery
from tests.platforms import fork

CHROMIUM_FLAGS = [
    "--no-sandbox",  # Chromium refuses to run as root without it
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
]
VIEWPORT: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture(scope="package", autouse=True)
def platforms_start_quickly(nursery: Nursery) -> Iterator[None]:
    """Those of sessions in this process are forked; the pages' own kernels start theirs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_platform, "start", lambda home: _forked(nursery, home))
        yield


def _forked(nursery: Nursery, home: Path) -> local_platform.RunningPlatform:
    running = fork(nursery, home)
    return local_platform.RunningPlatform(
        running.host, running.token, running.organization, running.process.pid
    )


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(executable_path=_chromium(), args=CHROMIUM_FLAGS)
    yield browser
    browser.close()


def _chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.fail(f"None of {names} is installed; `apt-get install chromium` brings one.")
    return path


@pytest.fixture(scope="package")
def lab_window(
    playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """A browser with a cache on disk: JupyterLab's scripts are compiled once."""
    context = playwright.chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=_chromium(), args=CHROMIUM_FLAGS, viewport=VIEWPORT,
    )  # fmt: skip
    yield context
    context.close()


@pytest.fixture(scope="package")
def notebook_window(chromium: Browser) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=VIEWPORT)
    yield context
    context.close()


@pytest.fixture(scope="package")
def jupyter_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    # With a prefix, as JupyterHub gives it.
    prefix = "--ServerApp.base_url=/user/me/"
    with running_jupyter("lab", tmp_path_factory.mktemp("lab"), prefix) as server:
        yield server


@pytest.fixture(scope="package")
def jupyter_notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    with running_jupyter("notebook", tmp_path_factory.mktemp("notebook")) as server:
        yield server


@pytest.fixture
def lab_page(lab_window: BrowserContext, jupyter_lab: JupyterServer) -> Iterator[JupyterPage]:
    yield from _page(lab_window, jupyter_lab)


@pytest.fixture
def notebook_page(
    notebook_window: BrowserContext, jupyter_notebook: JupyterServer
) -> Iterator[JupyterPage]:
    yield from _page(notebook_window, jupyter_notebook)


def _page(window: BrowserContext, server: JupyterServer) -> Iterator[JupyterPage]:
    page = JupyterPage(window.new_page(), server)
    yield page
    page.page.close()
    server.shut_kernels_down()
    assert page.complaints() == []


@pytest.fixture(scope="package")
def viewer_window(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ViewerPage]:
    page = ViewerPage(chromium, tmp_path_factory.mktemp("viewer"))
    yield page
    page.context.close()


@pytest.fixture
def viewer(viewer_window: ViewerPage) -> Iterator[ViewerPage]:
    viewer_window.begin()
    yield viewer_window
    assert viewer_window.complaints == []


@pytest.fixture
def write_notebook() -> Callable[..., None]:
    def write(server: JupyterServer, name: str, *sources: str) -> None:
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(notebook, server.root / name)

    return write
