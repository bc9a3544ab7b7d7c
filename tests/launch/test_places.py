"""Saved places, and how their servers let us in: real Jupyter servers, asked for real."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.places.servers import jupyter_server
from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.domain.errors import NotFoundError, PlatformError, ServingError
from picsellia_jupyter.domain.links import LinkError, Trouble
from picsellia_jupyter.domain.places import Gpu, Kind, Place
from picsellia_jupyter.launch import installing, inventory
from picsellia_jupyter.launch.places import Places


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[JupyterServer]:
    with jupyter_server(tmp_path_factory.mktemp("jupyter")) as server:
        yield server


def test_a_place_is_saved_without_its_token_where_only_its_user_reads_it(tmp_path: Path):
    Places(tmp_path, {}).add("gpu1", "https://gpu-box:8888/lab?token=a-secret")

    file = tmp_path / "places.json"
    assert json.loads(file.read_text()) == {"gpu1": "https://gpu-box:8888"}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Places(tmp_path, {}).saved == {"gpu1": "https://gpu-box:8888"}


def test_a_place_is_forgotten_and_an_unknown_one_named(tmp_path: Path):
    places = Places(tmp_path, {})
    places.add("gpu1", "https://gpu-box:8888")

    with pytest.raises(NotFoundError, match="no saved place named 'gpu2'"):
        places.remove("gpu2")
    places.remove("gpu1")

    assert places.saved == {}


def test_a_file_of_places_that_cannot_be_read_is_named(tmp_path: Path):
    (tmp_path / "places.json").write_text("{")

    with pytest.raises(PlatformError) as caught:
        _ = Places(tmp_path, {}).saved

    assert str(tmp_path / "places.json") in caught.value.fact
    assert "%places add NAME URL" in caught.value.remedy


@pytest.mark.parametrize("variable", ["PICSELLIA_PLACE_TOKEN", "PICSELLIA_PLACE_GPU_1_TOKEN"])
def test_the_environment_lets_us_in(tmp_path: Path, server: JupyterServer, variable: str):
    places = Places(tmp_path, {variable: server.token})
    place = places.add("gpu-1", server.url)

    assert places.client(place).kernels() == []


def test_a_token_that_was_typed_with_the_address_lets_us_in(tmp_path, server: JupyterServer):
    places = Places(tmp_path, {})
    place = places.parse(f"{server.url}/lab?token={server.token}")

    assert places.client(places.parse(place.name)).kernels() == []


def test_a_token_is_asked_for_once(tmp_path: Path, server: JupyterServer):
    asked: list[str] = []

    def prompt(text: str) -> str:
        asked.append(text)
        return server.token

    places = Places(tmp_path, {}, prompt)
    place = places.parse(server.url)
    places.client(place)
    places.client(place)

    assert asked == [f"Token of the Jupyter server at {server.url}: "]


def test_a_wrong_token_is_named_and_not_shown(tmp_path: Path, server: JupyterServer):
    places = Places(tmp_path, {"PICSELLIA_PLACE_TOKEN": "a-wrong-one"})

    with pytest.raises(LinkError) as caught:
        places.client(places.parse(server.url))

    assert caught.value.trouble is Trouble.UNAUTHORIZED
    assert "PICSELLIA_PLACE_TOKEN" in caught.value.remedy
    assert "a-wrong-one" not in str(caught.value)


def test_where_nobody_can_be_asked_the_missing_token_is_named(tmp_path, server: JupyterServer):
    places = Places(tmp_path, {})

    with pytest.raises(LinkError, match=r"asks for a token \(403\), and none is known"):
        places.client(places.parse(server.url))


def test_a_wrong_address_and_a_dead_one_are_named(tmp_path: Path, server: JupyterServer):
    places = Places(tmp_path, {"PICSELLIA_PLACE_TOKEN": server.token})

    with pytest.raises(LinkError) as wrong:
        places.client(places.parse(f"{server.url}/not-there"))
    with pytest.raises(LinkError) as dead:
        places.client(places.parse("http://127.0.0.1:1"))

    assert wrong.value.trouble is Trouble.WRONG_ADDRESS
    assert dead.value.trouble is Trouble.UNREACHABLE
    assert "http://127.0.0.1:1 does not answer" in dead.value.fact


def test_places_tell_what_they_have_and_a_dead_one_only_that(tmp_path, server: JupyterServer):
    places = Places(tmp_path, {"PICSELLIA_PLACE_TOKEN": server.token})
    asked = [
        Place(Kind.LOCAL, "local"),
        places.add("near", server.url),
        places.add("dead", "http://127.0.0.1:1"),
    ]

    here, near, dead = inventory.of_all(places, asked)

    assert here.inventory is not None
    assert near.inventory is not None
    assert near.inventory.cores == here.inventory.cores
    assert (
        near.inventory.versions["picsellia_jupyter"] == here.inventory.versions["picsellia_jupyter"]
    )
    assert dead.trouble.endswith("does not answer: Connection refused.")
    assert places.client(asked[1]).kernels() == []


def test_a_line_of_nvidia_smi_is_read():
    assert inventory.read_gpu("NVIDIA H100 80GB HBM3, 81559, 81074, 0") == Gpu(
        "NVIDIA H100 80GB HBM3", 81559, 81074, 0
    )
    assert inventory.read_gpu("NVIDIA A100, MIG 1g, 4864, 4800, [N/A]").utilization is None


def test_what_pip_cannot_install_is_an_error_with_its_last_lines(tmp_path, server: JupyterServer):
    places = Places(tmp_path, {"PICSELLIA_PLACE_TOKEN": server.token})
    client = places.client(places.parse(server.url))
    missing = f"picsellia_jupyter @ file://{tmp_path}/picsellia_jupyter-9-py3-none-any.whl"

    with pytest.raises(ServingError) as caught:
        installing.install(client, "Picsellia", missing)

    assert caught.value.fact == (
        f"pip could not install {missing!r} at {server.url} (exit status 1)."
    )
    assert "No such file or directory" in "".join(caught.value.log_tail)
    assert client.kernels() == []
