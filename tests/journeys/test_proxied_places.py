"""The whole journey at a Jupyter server with our extension, whose proxy large bodies take."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.session import Session
from tests.faults.served import wait_for
from tests.labserver.kinds import Kind, extended

pytestmark = pytest.mark.journey
TOGETHER = 20


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """So large that a request with all of them is over 4 MiB."""
    folder = tmp_path_factory.mktemp("images")
    paths = [folder / f"{path.stem}.bmp" for path, _ in catalog.digits()[:TOGETHER]]
    for (path, _), large in zip(catalog.digits(), paths, strict=False):
        Image.open(path).convert("RGB").resize((280, 280)).save(large)
    assert sum(path.stat().st_size for path in paths) > 4 * 2**20
    return paths


def proxied(session: Session, kernel_id: str) -> int:
    """Requests of a session that went through the proxy."""
    return session._fleet.reaches._tunnels[kernel_id].proxied


def test_a_model_is_served_asked_through_the_proxy_found_again_and_ended(
    home: Path, tmp_path: Path, images: list[Path], monkeypatch: pytest.MonkeyPatch
):
    with extended(tmp_path / "one", Kind.TOKEN) as server:
        monkeypatch.setenv("PICSELLIA_PLACE_TOKEN", server.at.token)
        first = Session(home=home)
        first.add_place("gpu2", server.at.url)
        d = first.deploy("digits-classifier", on="gpu2")
        serving = d.record.serving
        assert serving is not None
        address = d.address
        for _ in range(4):
            assert not d.predict(images).failures
        assert proxied(first, serving.kernel_id) == 4

        # The serving kernel is started anew, and takes its work up by itself.
        server.request("POST", f"/api/kernels/{serving.kernel_id}/restart").raise_for_status()
        wait_for(lambda: d.state is ServingState.READY, within_s=30)
        for _ in range(2):
            assert not d.predict(images).failures
        assert d.address == address
        assert proxied(first, serving.kernel_id) >= 6

        # As after a restart of the notebook: another session knows the deployment's name alone.
        second = Session(home=home)
        again = second.deployment(d.name)
        for _ in range(4):
            assert not again.predict(images).failures
        assert proxied(second, serving.kernel_id) == 4

        assert not again.flush().in_words()
        log = second.platform.prediction_log(again.id, since=None, until=None)
        assert len(log) == 10 * TOGETHER
        second.undeploy(d.name)
        assert not JupyterClient(server.at).alive(serving.kernel_id)
        assert second.deployment(d.name).state is ServingState.STOPPED
