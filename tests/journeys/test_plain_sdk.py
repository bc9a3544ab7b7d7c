"""The unmodified SDK, in a process of its own, against the local platform."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.session import Session

pytestmark = pytest.mark.journey
PROGRAM = Path(__file__).with_name("plain_sdk.py")


def test_the_plain_sdk_deploys_predicts_and_changes_the_threshold(home: Path, tmp_path: Path):
    session = Session(home=home)
    detector = next(m for m in catalog.MODELS if m.name == "digits-detector")
    weights, page = detector.files["model-latest"], catalog.pages()[0]
    arguments = [
        session.platform.host, session.platform.token,
        str(weights), str(detector.files["serving.json"]), str(page),
    ]  # fmt: skip
    program = subprocess.Popen(
        [sys.executable, str(PROGRAM), *arguments],
        cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert program.stdin is not None
    assert program.stdout is not None
    try:
        assert program.stdout.readline() == "deployed\n"
        assert (tmp_path / "stored" / weights.name).read_bytes() == weights.read_bytes()
        served = session.deploy("by-hand", name="by-hand-1")
        out, _ = program.communicate("served\n", timeout=120)
    finally:
        program.kill()

    assert program.returncode == 0
    said = json.loads(out)
    truth = len(catalog.ground_truth(page))
    assert said["boxes"] > 0
    assert abs(said["boxes"] - truth) <= 0.1 * truth
    assert said["rectangles"] >= said["boxes"]
    assert said["assets"] == 1
    with Image.open(page) as image:
        assert said["size"] == list(image.size)
    assert said["threshold"] == served.refresh().threshold == 0.6
    assert said["labels"] == [str(i) for i in range(10)]
    served.undeploy(delete=True)
