"""What may be asked of a front: the path as it came, or nothing."""

from __future__ import annotations

import pytest

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.labserver import passing

PREFIX = "/user/me%40x/picsellia/serving/abc"


@pytest.mark.parametrize(
    "path",
    ["/", "/api/deployments/1/predict", "/v2/models/a%20b?x=%2F..%5C&y=a/b",
     "//host/x", "/a..b/...", "/@x"],
)  # fmt: skip
def test_a_path_is_passed_as_it_came(path):
    assert passing.target(PREFIX + path, PREFIX) == path


@pytest.mark.parametrize(
    "uri",
    [
        PREFIX,
        f"{PREFIX}/..",
        f"{PREFIX}/a/../b",
        f"{PREFIX}/./b",
        f"{PREFIX}/%2e%2e/b",
        f"{PREFIX}/.%2E/b",
        f"{PREFIX}/a%2fb",
        f"{PREFIX}/a%5cb",
        f"{PREFIX}/a\\b",
        f"{PREFIX}/a%00b",
        f"{PREFIX}/a%0d%0aHost: x",
        f"{PREFIX}/a\r\nb",
        f"{PREFIX}/a?b c",
        f"{PREFIX}/é",
        f"{PREFIX}/a#b",
        f"{PREFIX}@example.test/",
        "http://example.test/",
        "/user/me%40x/picsellia/serving/%61bc/x",
    ],
)
def test_a_path_that_could_mean_another_place_is_refused(uri):
    with pytest.raises(InvalidInputError, match=r"an encoded slash.*Ask for the front's path"):
        passing.target(uri, PREFIX)


def test_two_authorizations_for_a_front_are_refused():
    twice = [("X-Picsellia-Authorization", "a"), ("x-picsellia-authorization", "b")]
    with pytest.raises(InvalidInputError, match="several X-Picsellia-Authorization"):
        passing.inward(twice)


@pytest.mark.parametrize(
    "address",
    ["", "http://127.0.0.1", "http://127.0.0.1:0", "http://127.0.0.1:65536", "http://127.0.0.1:80/",
     "https://127.0.0.1:80", "http://localhost:80", "http://127.0.0.1:80@x", "http://127.0.0.1:80\n"],
)  # fmt: skip
def test_only_a_loopback_address_is_a_fronts(address):
    assert passing.port("http://127.0.0.1:8080") == 8080
    with pytest.raises(InvalidInputError, match=r"no loopback address.*Deploy again"):
        passing.port(address)
