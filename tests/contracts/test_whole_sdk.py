"""Every public method of the SDK's classes around deployments, against the local platform."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import models

DRIVER = Path(__file__).with_name("whole_sdk_driver.py")
ROOT = Path(__file__).parents[2]
STORING = (
    "connecting",
    "models",
    "versions",
    "files",
    "datalakes",
    "data",
    "one_data",
    "projections",
)
"""Chapters that upload and download."""


def drive(running, folder: Path, *chapters: str) -> dict:
    """Have the SDK go through these chapters, or through all, in a process of its own."""
    models.onnx_detector(folder / "tiny.onnx")
    (folder / "serving.json").write_text(json.dumps(models.DETECTOR))
    quiet = {"PICSELLIA_SDK_CUSTOM_LOGGING": "1", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, str(DRIVER), running.host, running.token, str(folder), *chapters],
        env={**os.environ, **quiet},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def failures(report: dict) -> list[str]:
    wrong = [step for step in report["steps"] if not step["ok"]]
    return [f"{one['chapter']}: {one['method']} {one['seen']}" for one in wrong]


@pytest.fixture(scope="module")
def report(start_platform, tmp_path_factory):
    """What came of every step of the whole SDK."""
    running = start_platform(tmp_path_factory.mktemp("home"))
    return drive(running, tmp_path_factory.mktemp("sdk"))


def test_no_step_of_the_whole_sdk_fails(report):
    assert failures(report) == []
    assert len(report["steps"]) >= 350


def test_every_public_method_was_called(report):
    called = {step["method"] for step in report["steps"]}
    assert sorted(set(report["methods"]) - called) == []


@pytest.mark.parametrize("start_platform", ["sqlite"], indirect=True)
@pytest.mark.parametrize("form", ["google", "minio"])
def test_the_sdk_uploads_in_the_forms_of_other_clouds(start_platform, tmp_path, form):
    running = start_platform(tmp_path / "home", "--storage-form", form)
    folder = tmp_path / "sdk"
    folder.mkdir()

    report = drive(running, folder, *STORING)

    assert failures(report) == []
    assert len(report["steps"]) >= 90
    assert not any((tmp_path / "home" / "uploads").glob("*"))
