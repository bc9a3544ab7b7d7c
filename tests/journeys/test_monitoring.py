"""The notebook of a camera that moves, executed by nbclient in a kernel of its own.

Whoever executes it is connected to a cloud, which its made-up weeks are no business of.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from picsellia_jupyter.session import Session
from tests.cloud.running import Cloud, running_cloud
from tests.journeys.test_quickstart import outputs

pytestmark = pytest.mark.journey
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "02_monitor.ipynb"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud")) as made:
        yield made


@pytest.fixture(scope="module")
def executed(
    home: Path, cloud: Cloud, tmp_path_factory: pytest.TempPathFactory
) -> nbformat.NotebookNode:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PICSELLIA_JUPYTER_HOME", str(home))
        environment.setenv("PICSELLIA_HOST", cloud.host)
        environment.setenv("PICSELLIA_TOKEN", cloud.token)
        # A cell that raises, its own checks included, ends this.
        NotebookClient(notebook, timeout=240, resources={"metadata": {"path": folder}}).execute()
    return notebook


def outliers_in(told: str) -> tuple[int, int]:
    """Outliers, and images that have a score."""
    unlike, scored = re.findall(r"outliers: (\d+) of (\d+) images", told)[0]
    return int(unlike), int(scored)


def test_a_healthy_week_is_steady_and_agrees_with_its_reviews(executed: nbformat.NotebookNode):
    told = outputs(executed, "healthy", "text/plain")
    assert "inferences 340" in told
    assert "9 signals steady" in told
    unlike, scored = outliers_in(told)
    assert scored == 40
    assert unlike <= 12
    assert float(re.findall(r"AP50 ([\d.]+)", told)[0]) > 0.95


def test_the_week_of_the_moved_camera_drifts_and_loses_precision(executed: nbformat.NotebookNode):
    told = outputs(executed, "shifted", "text/plain")
    assert "moved" in told
    assert float(re.findall(r"AP50 ([\d.]+)", told)[0]) < 0.75
    html = outputs(executed, "shifted", "text/html")
    assert '<details open data-part="drift"><summary><strong>Drift</strong>' in html
    assert len(html) < 500_000
    unlike, scored = outliers_in(told)
    assert scored == 52
    assert unlike >= 20


def test_the_new_writers_are_told_apart_by_their_source(executed: nbformat.NotebookNode):
    told = outputs(executed, "writers", "text/plain")
    assert outliers_in(told) == (12, 12)
    assert "12 of 92 images reviewed" in told
    assert float(re.findall(r"AP50 ([\d.]+)", told)[0]) < 0.75


def test_the_images_of_a_day_are_shown(executed: nbformat.NotebookNode):
    assert "data:image/jpeg;base64," in outputs(executed, "images", "text/html")
    assert re.search(r"[1-9]\d* of \d+ recorded images", outputs(executed, "images", "text/plain"))


def test_every_chart_has_its_data_in_a_file(executed: nbformat.NotebookNode):
    printed = outputs(executed, "export", "stream")
    for name in ("drift.csv", "inferences.csv", "latency.csv", "labels.csv", "calibration.csv"):
        assert name in printed


def test_no_token_is_in_the_executed_notebook(
    executed: nbformat.NotebookNode, home: Path, cloud: Cloud
):
    saved = nbformat.writes(executed)
    assert Session(home=home).platform.token not in saved
    assert cloud.token not in saved


def test_the_cloud_was_asked_nothing_that_the_sdk_would_not_and_has_nothing_new(
    executed: nbformat.NotebookNode, cloud: Cloud, tmp_path: Path
):
    assert "local platform at" in outputs(executed, "load", "text/plain")
    assert cloud.notes.violations == []
    assert cloud.session(tmp_path).platform.models() == []
