"""Addresses of places as they are mistyped; what may be a secret in one is not shown."""

from __future__ import annotations

import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.places import Place

SECRET = "a-secret-5f1c"
WHOLE = "Write it whole, as in https://gpu-box:8888."


@pytest.mark.parametrize(
    ("typed", "fact", "remedy"),
    [
        (
            f"gpu-box:8888/lab?token={SECRET}",
            "'gpu-box:8888/lab' is an address without http:// or https://.",
            WHOLE,
        ),
        (
            f"gpu-box:8888?token={SECRET}",
            "'gpu-box:8888' is an address without http:// or https://.",
            WHOLE,
        ),
        (
            f"me:{SECRET}@gpu-box:8888",
            "'gpu-box:8888' is an address without http:// or https://.",
            WHOLE,
        ),
        (
            f"gpu-box.lan/lab?token={SECRET}",
            "'gpu-box.lan/lab' is an address without http:// or https://.",
            "Write it whole, as in https://gpu-box.lan.",
        ),
        (
            f"htp://gpu-box/?token={SECRET}",
            "htp://gpu-box is no address of a Jupyter server.",
            "It begins with http:// or https:// and names a host, as in https://gpu-box:8888.",
        ),
        (
            f"https://gpu box/?token={SECRET}",
            "https://gpu box is no address of a Jupyter server.",
            "It begins with http:// or https:// and names a host, as in https://gpu-box:8888.",
        ),
        (
            f"http://[::1?token={SECRET}",
            "What was typed as the address of a place has no valid host or port.",
            "It names both, as in https://gpu-box:8888.",
        ),
        (
            f"http://gpu-box:99999/?token={SECRET}",
            "What was typed as the address of a place has no valid host or port.",
            "It names both, as in https://gpu-box:8888.",
        ),
    ],
)
def test_a_mistyped_address_is_named_without_its_secret(typed: str, fact: str, remedy: str):
    with pytest.raises(InvalidInputError) as caught:
        Place.parse(typed)

    assert caught.value.fact == fact
    assert caught.value.remedy == remedy
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "host", ["[::1]:8888", "[fe80::1%eth0]:8888", "10.0.0.7:8888", "größe.lan"]
)
def test_any_kind_of_host_is_taken(host: str):
    assert Place.parse(f"http://{host}/lab").address == f"http://{host}"


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/user/lab/lab", "/user/lab"),
        ("/user/lab", "/user/lab"),
        ("/hub/user/tree/tree/a.ipynb", "/hub/user/tree"),
        ("/user/me/gpu/lab/tree/user/x", "/user/me/gpu"),
        ("/lab/tree/user/x", ""),
        ("/base/lab/workspaces/auto-1", "/base"),
        ("/user/lab/", "/user/lab"),
        ("/labs", "/labs"),
    ],
)
def test_the_page_that_is_open_is_cut_and_a_user_who_is_called_like_one_is_not(
    path: str, kept: str
):
    assert (
        Place.parse(f"https://hub:8888{path}?token={SECRET}").address == f"https://hub:8888{kept}"
    )


def test_the_remedy_names_the_users_server_of_a_hub():
    with pytest.raises(InvalidInputError) as caught:
        Place.parse("hub.lan/user/lab/lab")
    assert caught.value.remedy == "Write it whole, as in https://hub.lan/user/lab."
