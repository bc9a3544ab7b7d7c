"""JupyterLab with all its kernels on a Kernel Gateway: a model is deployed on that gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from benchmarks.places.servers import TOKEN, kernel_gateway
from picsellia_jupyter.clients.jupyter import JupyterServer as Gateway
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer, running_jupyter

pytestmark = [pytest.mark.browser, pytest.mark.journey]
DIGITS = [str(path) for path, _digit in catalog.digits()][:20]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, Path]]:
    """A gateway, and the data directory of its kernels, where the notebook runs."""
    folder = tmp_path_factory.mktemp("gateway")
    home = folder / "picsellia"
    try:
        seed(Session(home=home))
        # A Lab lists the kernels that it has.
        with kernel_gateway(folder, "--JupyterWebsocketPersonality.list_kernels=True") as server:
            yield server, home
    finally:
        local_platform.stop(home)


@pytest.fixture(scope="module")
def lab(gateway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JupyterServer]:
    server, _ = gateway
    options = (f"--GatewayClient.url={server.url}", f"--GatewayClient.auth_token={TOKEN}")
    with running_jupyter("lab", tmp_path_factory.mktemp("gatewayed"), *options) as lab:
        yield lab


@pytest.fixture
def page(chromium: Browser, lab: JupyterServer) -> Iterator[JupyterPage]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = JupyterPage(context.new_page(), lab)
    yield page
    # Its console tells what a Lab asks of a gateway that has no such thing: nothing of ours.
    context.close()


def test_a_model_is_deployed_on_the_gateway_and_found_again_after_a_restart(
    gateway, lab: JupyterServer, page: JupyterPage, write_notebook
):
    server, home = gateway
    # A gateway keeps little of the environment that a Lab sends.
    at_home = f"import os\nos.environ['PICSELLIA_JUPYTER_HOME'] = {str(home)!r}"
    write_notebook(
        lab,
        "gateway.ipynb",
        at_home,
        "%load_ext picsellia_jupyter",
        f"d = %deploy digits-classifier --on {server.url}/?token={TOKEN} --name far",
        f"images = {DIGITS!r}",
        "for _ in range(5):\n    assert not d.predict(images).failures",
        "%deployments",
    )
    write_notebook(
        lab,
        "again.ipynb",
        at_home,
        "%load_ext picsellia_jupyter",
        f"os.environ['PICSELLIA_PLACE_TOKEN'] = {TOKEN!r}",
        f"images = {DIGITS!r}",
        "from picsellia_jupyter import Session\nd = Session().deployment('far')",
        "for _ in range(5):\n    assert not d.predict(images).failures",
        "print(d.flush().in_words() or 'all recorded')",
        "d.undeploy()",
    )
    page.open("gateway.ipynb")
    page.run_all(timeout_s=180)
    page.screenshots("gateway-deployments", cell=5)
    page.page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    page.open("again.ipynb")
    cells = page.run_all(timeout_s=180)

    assert cells[6].text() == "all recorded\n"
    platform = Session(home=home).platform
    record = platform.find_deployment("far")
    assert record is not None
    assert record.serving is None or record.state.value == "stopped"
    assert len(platform.prediction_log(record.id, since=None, until=None)) == 200
    assert TOKEN not in (lab.root / "again.ipynb").read_text().replace(f"= {TOKEN!r}", "")
