"""Tokens of places that are wrong, expired, renewed or unusable, with real Jupyter servers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.places.servers import jupyter_server
from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.domain.deployments import ServingKernel
from picsellia_jupyter.domain.links import LinkError, Trouble
from picsellia_jupyter.launch import inventory
from picsellia_jupyter.launch.places import Places
from picsellia_jupyter.launch.reaching import Reaches
from picsellia_jupyter.settings import Settings

EXPIRED = "an-expired-one-77e0"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[JupyterServer]:
    with jupyter_server(tmp_path_factory.mktemp("jupyter")) as server:
        yield server


def test_where_a_known_token_has_expired_the_user_is_asked_for_another(tmp_path, server):
    places = Places(tmp_path, {"PICSELLIA_PLACE_TOKEN": EXPIRED}, lambda _text: server.token)

    assert places.client(places.parse(server.url)).kernels() == []


def test_where_the_typed_token_has_expired_that_of_the_environment_is_taken(tmp_path, server):
    places = Places(tmp_path, {"PICSELLIA_PLACE_TOKEN": server.token})

    assert places.client(places.parse(f"{server.url}/?token={EXPIRED}")).kernels() == []


def test_a_token_that_is_set_while_the_notebook_runs_is_taken(tmp_path, server, monkeypatch):
    monkeypatch.setenv("PICSELLIA_PLACE_TOKEN", EXPIRED)
    places = Places(tmp_path, Settings.from_environment().place_tokens)
    place = places.parse(server.url)
    with pytest.raises(LinkError, match="does not accept the token"):
        places.client(place)

    os.environ["PICSELLIA_PLACE_TOKEN"] = server.token

    assert places.client(place).kernels() == []


def test_a_line_end_after_a_token_is_no_part_of_it(tmp_path, server):
    places = Places(tmp_path, {"PICSELLIA_PLACE_TOKEN": f"{server.token}\n"})

    assert places.client(places.parse(server.url)).kernels() == []


@pytest.mark.parametrize("token", [f"{EXPIRED}\n1", f"“{EXPIRED}”"])
def test_what_cannot_be_a_token_is_told_and_not_shown(tmp_path, server, token: str):
    places = Places(tmp_path, {"PICSELLIA_PLACE_TOKEN": token})

    with pytest.raises(LinkError) as caught:
        places.client(places.parse(server.url))

    assert caught.value.fact == (
        f"The token for the Jupyter server at {server.url} has characters that no token has."
    )
    assert caught.value.remedy == "Copy it anew, without quotes or line ends."


def test_places_that_are_listed_ask_nothing_of_the_user(tmp_path: Path, server):
    asked: list[str] = []
    places = Places(tmp_path, {}, lambda text: asked.append(text) or "")

    (report,) = inventory.of_all(places, [places.add("gpu1", server.url)])

    assert "asks for a token (403), and none is known" in report.trouble
    assert asked == []


def test_a_kernel_at_a_place_that_is_not_saved_any_more_says_where(tmp_path: Path):
    serving = ServingKernel("a-kernel", "http://127.0.0.1:1", "gpu1")

    with pytest.raises(LinkError) as caught:
        Reaches(Places(tmp_path, {})).address(serving)

    assert caught.value.trouble is Trouble.WRONG_ADDRESS
    assert caught.value.fact == "It is served at 'gpu1', which is no saved place here."
    assert caught.value.remedy == "Save it: %places add gpu1 https://HOST:PORT"
