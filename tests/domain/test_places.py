"""Places, as they are typed."""

from __future__ import annotations

import pytest

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.domain.places import (
    Gpu,
    Inventory,
    Kind,
    Place,
    checked_name,
    read_address,
)

SAVED = {"gpu1": "https://gpu-box:8888"}


@pytest.mark.parametrize(
    ("typed", "place"),
    [
        ("local", Place(Kind.LOCAL, "local")),
        ("ray", Place(Kind.RAY, "ray")),
        ("ray:10.0.0.1:6379", Place(Kind.RAY, "ray:10.0.0.1:6379", "10.0.0.1:6379")),
        ("gpu1", Place(Kind.SERVER, "gpu1", "https://gpu-box:8888")),
        ("https://gpu-box:8888/lab", Place(Kind.SERVER, "gpu1", "https://gpu-box:8888")),
        (
            "http://box:8888/user/me/lab/tree/a.ipynb?token=abc",
            Place(Kind.SERVER, "http://box:8888/user/me", "http://box:8888/user/me", "abc"),
        ),
    ],
)
def test_a_place_is_read(typed: str, place: Place):
    assert Place.parse(typed, SAVED) == place


def test_a_token_in_an_address_does_not_show():
    place = Place.parse("http://box:8888/?token=a-secret")

    assert place.token == "a-secret"
    assert "a-secret" not in repr(place)
    assert "a-secret" not in place.name


def test_an_unknown_name_suggests_the_nearest():
    with pytest.raises(NotFoundError) as caught:
        Place.parse("gpu2", SAVED)

    assert caught.value.fact == "There is no place named 'gpu2'."
    assert caught.value.remedy == "Did you mean 'gpu1'? Save one with: %places add NAME URL"


def test_an_address_without_its_scheme_is_refused_with_the_whole_one():
    with pytest.raises(InvalidInputError) as caught:
        Place.parse("gpu-box:8888")

    assert caught.value.fact == "'gpu-box:8888' is an address without http:// or https://."
    assert caught.value.remedy == "Write it whole, as in https://gpu-box:8888."


@pytest.mark.parametrize("typed", ["ftp://box/", "https://", "file:///etc"])
def test_what_is_no_address_of_a_server_is_refused(typed: str):
    with pytest.raises(InvalidInputError, match="is no address of a Jupyter server"):
        read_address(typed)


def test_a_password_in_an_address_is_refused_and_not_repeated():
    with pytest.raises(InvalidInputError) as caught:
        read_address("https://me:hunter2@box:8888")

    assert "hunter2" not in str(caught.value)
    assert caught.value.remedy == "Leave both out; a server is entered with its token."


@pytest.mark.parametrize("name", ["local", "ray", "1gpu", "", "a b", "x" * 41, "../x"])
def test_a_name_that_cannot_be_taken_is_refused(name: str):
    with pytest.raises(InvalidInputError, match="cannot be called"):
        checked_name(name)


def test_devices_are_told_in_a_sentence():
    gpu = Gpu("NVIDIA L4", 23034, 20480, 3)

    assert Inventory(8, (gpu,)).devices() == "NVIDIA L4, 20.0 of 22.5 GiB free, 3 % busy"
    assert Inventory(2).devices() == "No GPU: models run on the CPU (2 cores)."
