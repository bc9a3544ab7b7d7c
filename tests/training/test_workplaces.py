"""What a notebook finds where it is executed."""

from __future__ import annotations

from picsellia_jupyter.settings import Settings
from picsellia_jupyter.training.workplaces import Elsewhere, LocalHome

HOST, TOKEN = "https://platform.test", "a-token-of-a-user"


def test_beside_the_platform_a_notebook_finds_it_by_its_folder_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("PICSELLIA_TOKEN", "of somewhere else")
    monkeypatch.setenv("PICSELLIA_HOST", "https://somewhere.else")

    found = Settings.from_environment(LocalHome(tmp_path).environment())

    assert (found.home, found.host, found.token) == (tmp_path, None, None)


def test_elsewhere_it_finds_it_by_what_was_told(tmp_path, monkeypatch):
    monkeypatch.setenv("PICSELLIA_PLACE_TOKEN", "of somewhere else")
    monkeypatch.setenv("PATH_OF_DATA", "/data")
    place = Elsewhere(HOST, TOKEN, "press shop", tmp_path)

    told = place.environment()

    found = Settings.from_environment(told)
    assert (found.host, found.token, found.organization) == (HOST, TOKEN, "press shop")
    assert found.home.is_relative_to(tmp_path)
    assert dict(found.place_tokens) == {}
    assert told["PATH_OF_DATA"] == "/data"
    assert TOKEN not in repr(place)
