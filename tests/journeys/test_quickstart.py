"""The quickstart notebook, executed by nbclient in a kernel of its own."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.session import Session

pytestmark = pytest.mark.journey
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_deploy.ipynb"


@pytest.fixture(scope="module")
def executed(home: Path, tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PICSELLIA_JUPYTER_HOME", str(home))
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": folder}}).execute()
    return notebook


def outputs(notebook: nbformat.NotebookNode, cell_id: str, kind: str) -> str:
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    return "".join(
        output.get("text", "") if kind == "stream" else output.get("data", {}).get(kind, "")
        for output in cell.outputs
    )


def test_every_cell_runs_without_an_error(executed: nbformat.NotebookNode):
    failed = [
        output
        for cell in executed.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    assert failed == []


def test_the_registry_lists_both_demo_models(executed: nbformat.NotebookNode):
    listed = outputs(executed, "registry", "text/html")

    assert "digits-detector" in listed
    assert "digits-classifier" in listed


def test_the_deployment_is_announced_ready(executed: nbformat.NotebookNode):
    card = outputs(executed, "deploy", "text/html")

    assert "quickstart" in card
    assert "Ready" in card or "ready" in card


def test_a_page_is_shown_with_its_overlay(executed: nbformat.NotebookNode):
    assert "data:image/jpeg;base64," in outputs(executed, "predict-one", "text/html")
    grid = outputs(executed, "predict-many", "text/html")
    assert len(re.findall(r'<img [^>]*src="data:image/jpeg;base64,', grid)) == 12


def test_the_boxes_match_the_ground_truth(executed: nbformat.NotebookNode):
    printed = outputs(executed, "check", "stream")

    match = re.search(r"AP50 on 12 pages: (\d\.\d+)", printed)
    assert match is not None, printed
    assert float(match.group(1)) > 0.95


def test_a_file_that_is_no_image_is_named_and_the_other_one_predicted(
    executed: nbformat.NotebookNode,
):
    shown = outputs(executed, "bad", "text/plain")

    assert "1 image predicted, 1 failed" in shown
    assert "notes.jpg" in shown


def test_the_plain_sdk_predicted_too(executed: nbformat.NotebookNode):
    assert re.search(r"[1-9]\d* boxes, the first one", outputs(executed, "sdk", "stream"))


def test_the_dashboard_counts_what_was_predicted(executed: nbformat.NotebookNode):
    # One page, twelve more, and the good one beside the broken file.
    assert re.search(r"\b14\b", outputs(executed, "monitor", "text/plain"))


def test_every_prediction_arrived_with_its_image(executed: nbformat.NotebookNode, home: Path):
    session = Session(home=home)
    deployment = session.deployment("quickstart")

    assets = session.sdk.get_deployment("quickstart").list_predicted_assets()

    assert deployment.record.inferences == len(assets) == 15
    assert all(asset.width > 0 and asset.height > 0 for asset in assets)


def test_after_undeploying_nothing_is_served(executed: nbformat.NotebookNode, home: Path):
    states = {record.name: record.state for record in Session(home=home).deployments().records}

    assert states["quickstart"] is ServingState.STOPPED
    assert states["quickstart-digits"] is ServingState.STOPPED
    assert states["quickstart-own"] is ServingState.NOT_SERVED


def test_no_token_is_in_the_executed_notebook(executed: nbformat.NotebookNode, home: Path):
    token = Session(home=home).platform.token

    assert token not in nbformat.writes(executed)
