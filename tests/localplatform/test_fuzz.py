"""Requests nobody would send, made from the description of our own routes."""

import uuid
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

schemathesis = pytest.importorskip("schemathesis", reason="the dev group is not installed")

CASES = 1500


@pytest.fixture
def database():
    """SQLite alone: what is tried here is the form of requests."""
    return


def operations(world):
    description = world.user.get("/api/local/openapi.json").json()
    schema = schemathesis.openapi.from_dict(description)
    return [found.ok() for found in schema.get_all_operations()]


@pytest.fixture
def ids(world):
    """Ids of things that are there, so that requests get past the first look-up."""
    deployment = world.deployment()
    alert = world.user.post(
        f"/api/local/deployments/{deployment['id']}/alerts",
        json={"name": "slow", "metric": "latency", "operator": ">", "limit": 0.5},
    )
    world.monitor(deployment)
    return {
        "deployment_id": deployment["id"],
        "alert_id": alert.json()["id"],
        "version_id": deployment["model_version_id"],
    }


def test_the_description_has_every_route_of_ours(world):
    from picsellia_jupyter.localplatform.app import ROUTERS

    described = {(one.method.upper(), one.path) for one in operations(world)}
    there = {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        for method in route.methods
        if route.path.startswith("/api/local/") and getattr(route, "include_in_schema", True)
    }
    assert described == there
    assert world.stranger.get("/api/local/openapi.json").status_code == 401


@pytest.mark.timeout(180)
def test_no_request_makes_the_platform_fail(world, ids):
    found = operations(world)
    statuses = Counter()
    for operation in found:
        _try_out(world, operation, ids, CASES // len(found) + 1, statuses)
    assert statuses.total() >= CASES
    assert {status: n for status, n in statuses.items() if status >= 500} == {}
    # Refusals alone would show little.
    assert statuses[200] + statuses[201] > CASES / 20


def _try_out(world, operation, ids, cases, statuses):
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(), real=st.booleans())
    def tried(case, real):
        if real:
            known = {name: ids.get(name, str(uuid.uuid4())) for name in case.path_parameters or {}}
            case.path_parameters = known
        reply = _sent(world, case)
        statuses[reply.status_code] += 1
        assert reply.status_code < 500, f"{case.as_curl_command()}\n{reply.text}"

    tried()


def _sent(world, case):
    spoken = case.as_transport_kwargs(base_url="http://127.0.0.1:8123")
    kept = {name: spoken[name] for name in ("params", "json", "data") if name in spoken}
    # It makes up tokens too; that those are refused is tried elsewhere.
    told = {
        name: value
        for name, value in (spoken.get("headers") or {}).items()
        if name.lower() not in ("authorization", "user-agent", "cookie")
    }
    return world.user.request(spoken["method"], spoken["url"], headers=told, **kept)


JUNK = [
    b"null", b'"text"', b"{", b"\xff\xfe", b"{}", b'{"name": "a\\u0000b", "limit": 1e400}',
]  # fmt: skip


def routes(world, ids):
    """Every route with real ids in its path where there are some, as (methods, path)."""
    from picsellia_jupyter.localplatform.app import ROUTERS

    known = {**ids, "organization_id": world.organization}
    for router in ROUTERS:
        for route in router.routes:
            parts = (
                known.get(part.strip("{}"), str(uuid.uuid4())) if part.startswith("{") else part
                for part in route.path.split("/")
            )
            yield route.methods, "/".join(parts)


def test_no_route_at_all_fails_on_junk(world, ids):
    caller = world.login({"id": ids["deployment_id"]})
    failed = []
    for methods, path in list(routes(world, ids)):
        who = caller if path.endswith(("/predictions", "/shadow")) else world.user
        for method in sorted(methods - {"GET", "HEAD"}):
            for body in JUNK:
                reply = who.request(method, path, content=body)
                if reply.status_code >= 500:
                    failed.append((method, path, body, reply.text[:200]))
    assert failed == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=9" + "9" * 30, "offset=9" + "9" * 30, "cursor=%00&order_by=%00", "q=name%20=%20%22",
        "since=1e999&from_timestamp=nan&custom_metadata={", "name=%00&id=x&filename=%00",
    ],
)  # fmt: skip
def test_no_list_fails_on_a_strange_query(world, ids, query):
    caller = world.login({"id": ids["deployment_id"]})
    failed = []
    for methods, path in routes(world, ids):
        if "GET" in methods:
            for who in (world.user, caller):
                reply = who.get(f"{path}?service=metrics&{query}")
                if reply.status_code >= 500:
                    failed.append((path, reply.text[:200]))
    assert failed == []
