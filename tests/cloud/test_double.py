"""The double itself: it lets the SDK pass and nothing else."""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

import httpx
import pytest

from tests.cloud import wire


def _sdk_paths() -> set[str]:
    """Every path in the SDK's source; an id is `{}`."""
    spec = find_spec("picsellia")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    (folder,) = spec.submodule_search_locations
    text = "\n".join(path.read_text() for path in Path(folder).rglob("*.py"))
    return {re.sub(r"\{[^}]*\}", "{}", path) for path in re.findall(r'"(/api/[^"]*)"', text)}


def test_the_sdk_itself_asks_every_route_that_is_let_pass():
    allowed = {re.sub(r"\{\w+\}", "{}", route.path) for route in (*wire.ROUTES, *wire.SERVICES)}

    assert sorted(allowed - _sdk_paths()) == []


@pytest.fixture
def strange(started):
    """A caller whose wrong requests fail no test."""
    headers = {"Authorization": f"Bearer {started.token}"}
    with httpx.Client(base_url=started.host, headers=headers, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/local/usage", 404),
        ("GET", "/api/local/status", 404),
        ("GET", "/health", 404),
        ("POST", "/api/auth/login", 404),
        ("PUT", "/api/home/ping", 405),
        ("GET", "/api/home/ping?verbose=1", 422),
    ],
)
def test_what_the_sdk_never_sends_is_refused_and_noted(started, strange, method, path, status):
    known = len(started.notes.violations)

    assert strange.request(method, path).status_code == status

    assert len(started.notes.violations) == known + 1


def test_a_field_that_the_sdk_does_not_send_is_refused(started, strange):
    organization = strange.get("/api/home/ping").json()["default_organization"]

    reply = strange.post(
        f"/api/organization/{organization}/models", json={"name": "x", "description": "", "y": 1}
    )

    assert reply.status_code == 422
    assert reply.json() == {"message": "y: Extra inputs are not permitted", "detail": None}


def test_a_ping_says_nothing_that_only_a_local_platform_says(strange):
    assert set(strange.get("/api/home/ping").json()) == wire.PING
