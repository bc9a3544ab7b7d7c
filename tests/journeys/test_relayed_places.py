"""A model is served on a machine that cannot reach the notebook's local platform.

The kernel runs on this machine, but is told that it does not: all that it asks of the platform,
the model's file included, comes to the notebook and is asked there.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.places.servers import TOKEN, jupyter_server
from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.launch import loopback
from picsellia_jupyter.session import Session

pytestmark = pytest.mark.journey


def test_a_model_is_served_where_the_platform_cannot_be_reached_and_found_again(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PICSELLIA_PLACE_TOKEN", TOKEN)
    monkeypatch.setattr(loopback, "identity", lambda: "another machine")
    images = [path for path, _digit in catalog.digits()][:20]
    with jupyter_server(tmp_path) as server:
        first = Session(home=home)
        d = first.deploy("digits-classifier", on=server.url)
        serving = d.record.serving
        assert serving is not None
        assert "through this notebook" in repr(d)
        assert not d.predict(images).failures
        assert not d.flush(30).in_words()
        relay = first._fleet.relays.running(serving.kernel_id)
        assert relay is not None
        assert relay.performed > 20

        # The notebook is gone; what is predicted meanwhile waits on the kernel's disk.
        relay.close()
        assert not d.predict(images).failures
        first._fleet.reaches.close()
        second = Session(home=home)
        again = second.deployment(d.name)
        assert again.state is ServingState.READY
        assert not again.predict(images).failures

        # Those who still seem to wait in the closed tunnel are passed over.
        assert not again.flush(25).in_words()
        log = second.platform.prediction_log(d.id, since=None, until=None)
        assert len(log) == 60
        second.undeploy(d.name, delete=True)
        assert second._fleet.relays.running(serving.kernel_id) is None
        assert JupyterClient(server).kernels() == []
