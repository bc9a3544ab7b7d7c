"""The notebook that goes round the whole loop, executed by nbclient in a kernel of its own."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from picsellia_jupyter.session import Session
from tests.journeys.test_quickstart import outputs

pytestmark = pytest.mark.journey
NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "03_review_and_retrain.ipynb"
INTERVAL = r"([+-][\d.]+)  \(95 %: ([+-][\d.]+) to ([+-][\d.]+)\)"


@pytest.fixture(scope="module")
def executed(home: Path, tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    folder = tmp_path_factory.mktemp("notebooks")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PICSELLIA_JUPYTER_HOME", str(home))
        # A cell that raises, its own checks included, ends this.
        NotebookClient(notebook, timeout=280, resources={"metadata": {"path": folder}}).execute()
    return notebook


def test_new_writers_are_not_read(executed: nbformat.NotebookNode):
    told = outputs(executed, "arriving", "stream")
    known, new = re.findall(r"([\d.]+) on", told)
    assert float(known) > 0.95
    assert float(new) < 0.3


def test_thirty_reviews_set_off_the_training(executed: nbformat.NotebookNode):
    told = outputs(executed, "reviews", "stream")
    assert "30 pages reviewed, 30 annotated in digits/train" in told
    assert "30 reviews were submitted since the last run; 30 set it off." in told


def test_the_run_is_shown_and_stays(executed: nbformat.NotebookNode):
    html = outputs(executed, "retrain", "text/html")
    assert ">success</span>" in html
    assert "<polyline" in html
    assert "ap_50_95" in html


def test_the_new_version_is_better_with_confidence(executed: nbformat.NotebookNode):
    told = outputs(executed, "gain", "stream")
    gain = [float(one) for one in re.findall(rf"gain +{INTERVAL}", told)[0]]
    assert gain[0] > gain[1] > 0.05
    verdict = outputs(executed, "gate", "stream")
    assert "shadow: digits-detector:1" in verdict
    assert "above the gate's 0.05" in verdict
    print(told)


def test_the_promoted_version_reads_them(executed: nbformat.NotebookNode):
    told = outputs(executed, "recovered", "stream")
    before, after, known, still = (float(one) for one in re.findall(r"\d\.\d+", told))
    assert after > before + 0.4
    assert still > known - 0.1
    print(told)


def test_no_token_is_in_the_executed_notebook(executed: nbformat.NotebookNode, home: Path):
    assert Session(home=home).platform.token not in nbformat.writes(executed)
