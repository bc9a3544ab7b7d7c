"""`%retrain` in a real JupyterLab: live while the run goes on, and a card that stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from picsellia_jupyter.session import Session
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer
from tests.training.furnished import CELLS, furnished

pytestmark = pytest.mark.browser
WAITING = (
    'print("waits for the test")\n'
    "import time\n"
    "from pathlib import Path\n"
    "while not Path(gate).exists():\n"
    "    time.sleep(0.1)"
)
"""A cell that goes on once the test has seen what there is to see."""


def test_a_run_is_live_in_its_cell_and_stays_there_as_a_card(
    lab_page: JupyterPage,
    jupyter_lab: JupyterServer,
    write_notebook: Callable[..., None],
    tmp_path: Path,
):
    gate = tmp_path / "go"
    cells = (f"{CELLS[0]}\ngate = ''", *CELLS[1:4], WAITING, *CELLS[4:])
    session = Session(home=jupyter_lab.home)
    furnished(session, tmp_path, "in lab", cells=cells, held_out=0, mode="good", gate=str(gate))
    magic = "%retrain 'in lab'"
    write_notebook(jupyter_lab, "retrain.ipynb", "%load_ext picsellia_jupyter", magic)
    lab_page.open("retrain.ipynb")

    # Not by the command "run all", which waits for the end.
    lab_page.cell(0).locator(".cm-content").click()
    lab_page.page.keyboard.press("Shift+Enter")
    lab_page.page.keyboard.press("Shift+Enter")
    cell = lab_page.cell(1)
    expect(cell.get_by_text("waits for the test")).to_be_visible(timeout=90_000)
    bar = cell.get_by_role("progressbar", name="Cells of the notebook that are done")
    assert 0 < int(bar.get_attribute("aria-valuenow") or 0) < 100
    expect(cell.get_by_role("img", name="loss: 3 at first, 1 now")).to_be_visible()
    lab_page.screenshots("retrain-live", cell=1)

    gate.touch()
    expect(cell.get_by_text("success", exact=True)).to_be_visible(timeout=90_000)
    expect(cell.get_by_text("tiny in lab:1", exact=True)).to_be_visible()
    expect(bar).to_have_count(0)
    lab_page.screenshots("retrain-done", cell=1)
    lab_page.execute("docmanager:save")
    assert "success" in (jupyter_lab.root / "retrain.ipynb").read_text(encoding="utf-8")
