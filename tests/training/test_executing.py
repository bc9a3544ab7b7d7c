"""The program that executes a training notebook, and its limits."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.training.furnished import written


def executed(folder, cells, **asked):
    """What it says of a notebook of these cells."""
    source = written(folder / "source.ipynb", cells)
    done = subprocess.run(
        [sys.executable, "-m", "picsellia_jupyter.training.executing",
         str(source), str(folder / "target.ipynb")],
        input=json.dumps({"parameters": {}, **asked}), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_tells_lines_and_progress_and_takes_parameters(tmp_path):
    cells = ("a = 1", "print(f'a is {a}')", "print('10 %\\r20 %')")
    events = executed(tmp_path, cells, parameters={"a": 7})

    assert [event["line"] for event in events if "line" in event] == ["a is 7", "20 %"]
    progress = [event["progress"] for event in events if "progress" in event]
    assert progress == sorted(progress)
    assert (progress[-1], events[-1]) == (1.0, {"error": ""})


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_notebook_over_its_memory_fails_in_the_cell_that_asked_for_it(tmp_path):
    events = executed(tmp_path, ("a = 1", "b = bytearray(3 << 30)"), memory_gb=2)
    assert events[-1]["error"].startswith("Cell 2 of the notebook: MemoryError")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_notebook_over_its_processor_time_ends_and_names_the_limits(tmp_path, long):
    if not long:
        pytest.skip("burns processor time; --long does")
    events = executed(tmp_path, ("a = 1", "while True: pass"), cpu_s=3)
    assert "died. Perhaps it met a limit on memory or processor time" in events[-1]["error"]
