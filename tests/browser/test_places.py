"""Places, and a deployment that is served at one, as JupyterLab shows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.places.servers import TOKEN, jupyter_server
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.session import Session
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer
from tests.launch.cutting import Cutter

pytestmark = [pytest.mark.browser, pytest.mark.journey]
DIGIT = str(catalog.digits()[0][0])


def test_places_and_a_remote_card_are_shown_also_when_the_place_is_gone(
    lab_page: JupyterPage, jupyter_lab: JupyterServer, write_notebook, tmp_path: Path
):
    seed(Session(home=jupyter_lab.home))
    with jupyter_server(tmp_path) as server:
        link = Cutter(int(server.url.rpartition(":")[2]))
        write_notebook(
            jupyter_lab,
            "places.ipynb",
            f"import os\nos.environ['PICSELLIA_PLACE_TOKEN'] = {TOKEN!r}",
            "%load_ext picsellia_jupyter",
            f"%places add gpu1 http://127.0.0.1:{link.port}",
            "%places add attic http://127.0.0.1:9",
            "d = %deploy digits-classifier --on gpu1 --name far",
            f"assert not d.predict({DIGIT!r}).failures",
            "%places",
            "d",
        )
        lab_page.open("places.ipynb")
        cells = lab_page.run_all(timeout_s=120)
        lab_page.screenshots("places", cell=6)
        lab_page.screenshots("remote-card", cell=7)

        assert "does not answer: Connection refused." in cells[6].text()
        assert "picsellia" in cells[6].text()
        assert "gpu1, http://127.0.0.1:" in cells[7].text()
        assert "Not reached" not in cells[7].text()

        link.close()
        lab_page.execute("notebook:run-cell")
        lab_page.screenshots("remote-card-lost", cell=7)
        gone = lab_page.cells()[7].text()
        assert gone.startswith("far: ready")
        assert "Not reached" in gone
