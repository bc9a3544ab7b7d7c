"""A link to a place that is cut while a model is deployed there, and while it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.places.servers import TOKEN, jupyter_server
from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.domain.deployments import Progress, Stage
from picsellia_jupyter.session import Session
from tests.launch.cutting import Cutter

pytestmark = pytest.mark.journey


def test_a_link_that_is_cut_while_a_model_loads_and_while_it_is_asked_costs_nothing(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PICSELLIA_PLACE_TOKEN", TOKEN)
    session = Session(home=home)
    images = [path for path, _digit in catalog.digits()][:20]
    with jupyter_server(tmp_path) as server:
        cutter = Cutter(int(server.url.rpartition(":")[2]))
        cut: list[Stage] = []

        def cut_at_each_stage(progress: Progress) -> None:
            if progress.stage not in cut:
                cut.append(progress.stage)
                cutter.cut()

        d = session.deploy(
            "digits-classifier", on=f"http://127.0.0.1:{cutter.port}", progress=cut_at_each_stage
        )
        address = d.address
        for _ in range(5):
            cutter.cut()
            assert not d.predict(images).failures

        assert d.address == address
        assert {Stage.LOAD, Stage.DRY_RUN} <= set(cut)
        assert not d.flush().in_words()
        log = session.platform.prediction_log(d.id, since=None, until=None)
        assert len(log) == 100
        d.undeploy(delete=True)
        assert JupyterClient(server).kernels() == []
        cutter.close()
