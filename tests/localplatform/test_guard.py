import jwt
import pytest

from picsellia_jupyter.localplatform.app import ROUTERS
from picsellia_jupyter.localplatform.guard import JSON_LIMIT_BYTES, OPEN_ROUTES, STORAGE_PREFIX

ID = "11111111-2222-4333-8444-555555555555"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "XGET")
ROUTES = [route for router in ROUTERS for route in router.routes]
PATHS = sorted({route.path for route in ROUTES})


def filled(path: str) -> str:
    return "/".join(ID if part.startswith("{") else part for part in path.split("/"))


def test_the_application_has_no_route_but_those_that_are_walked_here(world):
    assert world.app.routes == [route for router in ROUTERS for route in router.routes]
    assert len(PATHS) > 50


def test_what_is_open_to_all_is_listed_here():
    assert {("GET", "/health"), ("POST", "/api/auth/login")} == OPEN_ROUTES


def test_a_token_in_the_address_is_no_token(world):
    assert world.stranger.get(f"/api/home/ping?token={world.token}").status_code == 401


def test_a_path_that_does_not_exist_is_not_told_to_strangers(world):
    assert world.stranger.get("/api/nothing").status_code == 401
    assert world.user.get("/api/nothing").status_code == 404


def test_a_token_signed_with_another_secret_is_refused(world):
    claims = {"deployment": ID, "until": world.clock.now + 999, "aud": "monitoring"}
    for forged in (
        jwt.encode(claims, "x" * 32, algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
    ):
        assert world.caller(forged).get(f"/api/deployment/{ID}").status_code == 401


def test_a_deployments_token_opens_no_route_of_the_main_api(world):
    caller = world.login(world.deployment())
    own = {
        "/api/deployment/{deployment_id}",
        "/api/deployment/{deployment_id}/predictions",
        "/api/prediction/{prediction_id}/shadow",
        "/api/deployment/{deployment_id}/predictions/stats",
        "/api/deployment/{deployment_id}/stats",
    }
    opened = []
    for route in ROUTES:
        for method in route.methods:
            path = route.path
            if path.startswith(STORAGE_PREFIX) or (method, path) in OPEN_ROUTES or path in own:
                continue
            if caller.request(method, filled(path)).status_code != 401:
                opened.append((method, path))
    assert opened == []


def test_a_deployments_token_expires_after_an_hour(world):
    deployment = world.deployment()
    caller = world.login(deployment)
    assert caller.get(f"/api/deployment/{deployment['id']}").status_code == 200
    world.clock.pass_by(3601)
    assert caller.get(f"/api/deployment/{deployment['id']}").status_code == 401


def test_a_deployments_token_does_not_open_another_deployment(world):
    one, other = world.deployment("one"), world.deployment("other")
    caller = world.login(one)
    assert caller.get(f"/api/deployment/{other['id']}").status_code == 403
    assert world.monitor(other, caller).status_code == 403
    stats = f"/api/deployment/{other['id']}/stats?service=metrics"
    assert caller.get(stats).status_code == 403


def test_the_api_token_does_not_open_the_monitoring_service(world):
    deployment = world.deployment()
    assert world.monitor(deployment, world.user).status_code == 401


def test_a_login_needs_the_right_token_and_does_not_repeat_it(world):
    deployment = world.deployment()
    body = {"api_token": "wrong-secret", "deployment_id": deployment["id"]}
    reply = world.stranger.post("/api/auth/login", json=body)
    assert reply.status_code == 401
    malformed = world.stranger.post("/api/auth/login", json={"api_token": "wrong-secret"})
    assert malformed.status_code == 422
    assert "wrong-secret" not in reply.text + malformed.text


@pytest.mark.parametrize(
    "host",
    [
        "evil.com", "evil.com:8123", "127.0.0.1", "127.0.0.1:80", "127.0.0.1.evil.com:8123",
        "localhost.evil.com:8123", "127.0.0.1:8123@evil.com", "", "[::1]:9", "0.0.0.0:8123",
    ],
)  # fmt: skip
def test_foreign_hosts_are_refused_on_every_method(world, host):
    headers = {"Host": host}
    statuses = {
        world.user.request(method, "/api/home/ping", headers=headers).status_code
        for method in METHODS
    }
    assert statuses == {403}
    assert world.stranger.get("/health", headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["127.0.0.1:8123", "localhost:8123", "[::1]:8123"])
def test_loopback_names_with_our_port_are_welcome(world, host):
    assert world.user.get("/api/home/ping", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["null", "http://evil.com", "http://localhost:9999", "https://127.0.0.1:8123", "file://", ""],
)
def test_pages_of_other_origins_are_refused_and_get_no_cors_header(world, origin):
    for method in METHODS:
        reply = world.user.request(method, "/api/home/ping", headers={"Origin": origin})
        assert reply.status_code == 403
        assert not [name for name in reply.headers if name.startswith("access-control")]


def test_health_is_open_and_says_nothing_else(world):
    assert world.stranger.get("/health").json() == {"live": True}


def test_a_body_that_is_too_large_is_refused(world):
    path = f"/api/organization/{world.organization}/models"
    body = b'{"name": "' + b"a" * JSON_LIMIT_BYTES + b'"}'
    assert world.user.post(path, content=body).status_code == 413
