"""Hostile Keras files and SavedModels, taken the whole way of a deployment, in real workers."""

import json

import pytest

from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.serving import confinement
from tests.optional import needs
from tests.serving import hostile_tensorflow as hostile
from tests.serving import models
from tests.serving.conftest import ROOT
from tests.serving.test_broken_models import corpus  # noqa: F401 - imported without its warnings
from tests.serving.test_hostile_models import Trap, needs_linux, refused, ungated

needs("tensorflow")


UNGATED = (
    "SavedModel that reads",
    "SavedModel that writes",
    "SavedModel that saves itself elsewhere",
)


@pytest.fixture
def trap(tmp_path):
    made = Trap(tmp_path / "outside")
    yield made
    made.listener.close()


@pytest.mark.parametrize("name", [*hostile.FILES, *hostile.LOADED])
def test_a_deployment_of_a_hostile_tensorflow_file_is_refused_and_harms_nobody(
    name, start, trap, serving, tmp_path, long
):
    if name in hostile.LOADED and not long:
        pytest.skip("TensorFlow takes its time in a worker; --long takes it")
    make, reason = {**hostile.FILES, **hostile.LOADED}[name]

    def write(path):
        path.write_bytes(make(tmp_path, trap.bait))
        return path

    assert reason in refused(start(write))
    assert trap.sprung() == []
    assert serving.predict(monitor="False").json()["detection_classes"] == [0]


@needs_linux
@pytest.mark.parametrize("confined", [True, False])
@pytest.mark.parametrize("name", UNGATED)
def test_the_sandbox_is_what_stops_a_graph_that_reaches_files(
    name, confined, trap, tmp_path, long, monkeypatch
):
    if not long:
        pytest.skip("TensorFlow takes its time in a worker; --long takes it")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    if not confined:
        monkeypatch.setattr(confinement, "support", lambda: confinement.Support("process"))
    make, _ = {**hostile.FILES, **hostile.LOADED}[name]
    path = tmp_path / "model-latest"
    path.write_bytes(make(tmp_path, trap.bait))
    (tmp_path / "serving.json").write_text(json.dumps(models.DETECTOR))
    outcome = ungated(path)
    assert isinstance(outcome, PicselliaJupyterError) is confined, outcome
    assert bool(trap.sprung()) is (not confined and "reads" not in name)
