"""The routes of the application are those of its routers, with what their router says."""

import json

from fastapi.routing import APIRoute

from picsellia_jupyter.localplatform.app import ROUTERS


def test_every_route_reads_json_from_a_caller_who_does_not_say_that_it_is():
    routes = [route for router in ROUTERS for route in router.routes]
    routes = [route for route in routes if isinstance(route, APIRoute)]
    assert len(routes) > 300
    assert [route.path for route in routes if route.strict_content_type is not False] == []


def test_a_login_without_a_content_type_is_read(world):
    body = {"api_token": world.token, "deployment_id": world.deployment()["id"]}
    reply = world.stranger.post("/api/auth/login", content=json.dumps(body))
    assert "content-type" not in reply.request.headers
    assert reply.json()["jwt"]


def test_two_applications_answer_from_one_set_of_routes_each_with_its_own_platform(
    world, open_world, tmp_path
):
    other = open_world(tmp_path / "other")
    try:
        assert other.organization != world.organization
        assert other.user.get("/api/home/ping").json() != world.user.get("/api/home/ping").json()
        assert world.user.get(f"/api/organization/{other.organization}").status_code == 404
    finally:
        other.platform.store.close()
