"""Progress in a real kernel: one output that stays small, however many images."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from picsellia_jupyter.display.batches import BatchState, batch_html, batch_text
from tests.display.html_reading import OUR_TAGS, Reading
from tests.display.shown import NAMES, shown

ROOT = Path(__file__).parents[2]
PREDICT = f"""
import sys; sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from PIL import Image
from picsellia_jupyter.handles import batching
from picsellia_jupyter.handles.predicting import predict_files
from tests.handles.test_predictions import FakeEndpoint

batching.PATIENCE_S = batching.REFRESH_S = 0
Image.new("RGB", (12, 10)).save("photo.png")
paths = [Path("photo.png")] * 40 + [Path("gone.png")]
with batching.BatchProgress(len(paths), {{0: "zero"}}, 0.3) as watch:
    BODY
"""


@pytest.fixture
def outputs(tmp_path: Path):
    def run(body: str) -> list:
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(PREDICT.replace("BODY", body))]
        )
        client = NotebookClient(notebook, timeout=60, resources={"metadata": {"path": tmp_path}})
        client.allow_errors = True
        client.execute()
        return notebook.cells[0].outputs

    return run


def test_the_one_output_ends_as_a_line(outputs):
    call = "came = predict_files(FakeEndpoint(), paths, monitor=False, tags=(), watch=watch)"
    (output,) = outputs(call)

    assert output.data["text/plain"].startswith("41 images · in ")
    assert output.data["text/plain"].endswith("1 failed")
    assert "<img" not in output.data["text/html"]
    assert "<progress" not in output.data["text/html"]


def test_what_ended_early_says_how_far_it_came(outputs):
    shown, error = outputs("watch(3, 1, None); raise KeyboardInterrupt")

    assert shown.data["text/plain"].startswith("3 of 41 images · stopped")
    assert error.ename == "KeyboardInterrupt"


def test_nothing_is_shown_for_what_takes_no_time(outputs):
    assert outputs("batching.PATIENCE_S = 9; watch(41, 0, None)") == []


def test_while_it_lasts_there_is_a_bar_and_the_images_done_last():
    state = BatchState(done=30, total=120, failed=2, elapsed_s=10)
    page = batch_html(state, [shown("a.jpg"), shown("b.jpg", encoded=b"")], NAMES, 0.3)
    reading = Reading(page)

    assert batch_text(state) == "30 of 120 images · 30 s left · 2 failed"
    assert set(reading.tags) <= OUR_TAGS | {"progress"}
    assert ("progress", "value", "30") in reading.attributes
    assert reading.tags.count("img") == 1
    assert "a.jpg" in "".join(reading.text)
