"""The notebook of another machine, executed beside the Jupyter server that it starts itself."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.session import Session

pytestmark = pytest.mark.journey
TOKEN = "canary-of-the-remote-notebook"
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "04_remote_gpu.ipynb"


@pytest.fixture(scope="module")
def executed(home: Path, tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PICSELLIA_JUPYTER_HOME", str(home))
        environment.setenv("PICSELLIA_PLACE_GPU1_TOKEN", TOKEN)
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": folder}}).execute()
    return notebook


def shown(notebook: nbformat.NotebookNode, cell_id: str) -> str:
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    return "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


def test_the_model_is_served_at_the_place_and_predicts_from_here(executed):
    assert "gpu1" in shown(executed, "place")
    assert "far-away: ready" in shown(executed, "deploy")
    assert "Served         gpu1" in shown(executed, "deploy")
    assert "6 images predicted, 0 failed" in shown(executed, "predict")
    assert shown(executed, "address") == "200"


def test_another_session_finds_it_and_everything_is_recorded(executed):
    assert shown(executed, "again") == "'All are recorded.'"
    assert "inferences 8" in shown(executed, "monitor")


def test_it_is_ended_and_its_token_is_in_no_output(executed, home: Path):
    session = Session(home=home)

    assert session.deployment("far-away").refresh().state is ServingState.STOPPED
    assert session.saved_places == {}
    assert TOKEN not in nbformat.writes(executed)
