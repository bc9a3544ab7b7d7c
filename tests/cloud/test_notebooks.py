"""The notebooks as they are, executed against the double of the cloud."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from picsellia_jupyter.launch import leases
from tests.cloud.running import ROOT, Cloud

pytestmark = pytest.mark.journey


def executed(name: str, cloud: Cloud, folder: Path) -> nbformat.NotebookNode:
    """A notebook of ours after all its cells, by a user whose environment has a token."""
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PICSELLIA_JUPYTER_HOME", str(folder / "home"))
        environment.setenv("PICSELLIA_HOST", cloud.host)
        environment.setenv("PICSELLIA_TOKEN", cloud.token)
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": folder}}).execute()
    return notebook


def shown(notebook: nbformat.NotebookNode, cell_id: str) -> str:
    """All text of a cell's outputs."""
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    return "".join(
        output.get("text", "") + output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    )


def test_the_cloud_notebook_serves_here_and_cleans_up(cloud, tmp_path):
    notebook = executed("05_cloud.ipynb", cloud, tmp_path)

    assert f"Picsellia at {cloud.host}" in shown(notebook, "connect")
    assert "digits-detector:0" in shown(notebook, "registry")
    assert "from-a-notebook: ready" in shown(notebook, "deploy")
    assert shown(notebook, "recorded") == "All are recorded. None is there twice.\n"
    assert "It has 6 predictions with an image." in shown(notebook, "monitor")
    assert "6 predicted, 0 failed, 6 recorded since it began" in shown(notebook, "monitor")
    assert f"{cloud.host}/deployment/" in shown(notebook, "monitor")
    assert "from-a-notebook" not in shown(notebook, "end")
    assert cloud.token not in nbformat.writes(notebook)
    assert [one for one in leases.all() if one.job["host"] == cloud.host] == []


def test_the_quickstart_runs_on_the_cloud_as_it_is(cloud, tmp_path):
    notebook = executed("01_deploy.ipynb", cloud, tmp_path)

    assert "quickstart: hosted" in shown(notebook, "deploy")
    assert "1 image predicted, 1 failed" in shown(notebook, "bad")
    assert "draws the dashboard of 'quickstart' itself" in shown(notebook, "monitor")
    assert "1 boxes, the first one" in shown(notebook, "sdk")
    assert "served by Picsellia, which goes on" in shown(notebook, "end")
    assert cloud.token not in nbformat.writes(notebook)


def test_no_notebook_holds_a_token_or_an_output():
    notebook = nbformat.read(ROOT / "notebooks" / "05_cloud.ipynb", as_version=4)

    assert all(not cell.get("outputs") for cell in notebook.cells)
    assert "TOKEN=" not in nbformat.writes(notebook)
