"""The HTTP API, from the routes of the two programs that have one."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping
from typing import Any
from unittest.mock import Mock

from fastapi.openapi.utils import get_openapi
from starlette.routing import Route

from docs.site.tables import code, sentence, table
from docs.site.tables import page as made
from picsellia_jupyter.localplatform.api.described import PREFIX, REFUSALS
from picsellia_jupyter.localplatform.app import ROUTERS
from picsellia_jupyter.serving import oip
from picsellia_jupyter.serving.app import Controls, control_routes
from picsellia_jupyter.serving.metrics import Metrics
from picsellia_jupyter.serving.predict_route import PredictRoutes

_BEGINNING = """\
Two programs answer over HTTP: a serving kernel's *front*, and the *local platform*. Both listen on loopback, want a token on every route, and check
`Host` and `Origin`. Refusals are `{"message": …, "detail": …}`. A running local platform describes its own routes, with all their fields, at
`/api/local/openapi.json`."""

_FRONT = """\
The address is `d.address`, the token comes from `POST /api/login`. [Talking to a serving kernel](../serving.md) has examples, and the
Open Inference Protocol's inputs and outputs. Routes below `/control` take the token of whoever started the kernel."""

_OWN = f"""\
What the platform does beyond Picsellia's own API lies under `{PREFIX}`. The token is `Authorization: Bearer TOKEN`, as `picsellia-jupyter platform status
--json` prints it."""

_SDK = """\
These are Picsellia's own routes as its SDK calls them. They are here so that the unmodified SDK works against the local platform; use them through it."""

_PREDICTING = {
    "/predict": "Predict on the image that is sent, or (v2) on one of the target datalake.",
    "/predict/batch": "Predict on many images; the reply is a line of JSON an image, as each is done.",
    "/predict/shadow": "The shadow model's prediction on an image of the target datalake.",
    "/metrics": "Figures for Prometheus.",
}
"""Routes that are no functions, by how their paths end."""

_METHODS = ("get", "post", "put", "patch", "delete", "head")


def page() -> str:
    """The page."""
    described = _described()
    own = {path: ways for path, ways in described.items() if path.startswith(PREFIX)}
    sdk = {path: ways for path, ways in described.items() if path not in own}
    refusals = [(str(status), str(said["description"])) for status, said in REFUSALS.items()]
    return made(
        "HTTP API",
        _BEGINNING,
        "## Serving kernel",
        _FRONT,
        table(("route", "does"), front_rows()),
        "## Local platform",
        _OWN,
        table(("route", "query", "does"), _rows(own)),
        "### How it refuses",
        table(("status", "because"), refusals),
        "## Picsellia's API on the local platform",
        _SDK,
        table(("route", "does"), ((route, does) for route, _query, does in _rows(sdk))),
    )


def front_rows() -> list[tuple[str, str]]:
    """Method and path of every route of a serving kernel, and what it does."""
    return [(code(f"{_method(route)} {route.path}"), _said(route)) for route in _front_routes()]


def _front_routes() -> Iterator[Route]:
    # What serves is not asked for anything as the table of routes is made.
    service, nothing = Mock(), Mock()
    yield from control_routes(Controls(service, nothing, nothing, nothing, nothing, relayed=False))
    yield from PredictRoutes(service).routes()
    yield Route("/metrics", Metrics(nothing).show)
    yield from (route for route in oip.build(service).routes if isinstance(route, Route))


def _method(route: Route) -> str:
    return "POST" if "POST" in (route.methods or ()) else "GET"


def _said(route: Route) -> str:
    for end, said in _PREDICTING.items():
        if route.path.endswith(end):
            return said
    return sentence((inspect.getdoc(route.endpoint) or "").split("\n\n")[0])


def _described() -> Mapping[str, Mapping[str, Any]]:
    routes = [route for router in ROUTERS for route in router.routes]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one route under two names is meant
        made_of = get_openapi(title="local platform", version="1", routes=routes)
    paths: Mapping[str, Mapping[str, Any]] = made_of["paths"]
    return paths


def _rows(paths: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for path in sorted(paths):
        for method in _METHODS:
            if (way := paths[path].get(method)) is not None:
                said = sentence(
                    str(way.get("description", way.get("summary", ""))).split("\n\n")[0]
                )
                yield code(f"{method.upper()} {path}"), _query(way), said


def _query(way: Mapping[str, Any]) -> str:
    names = [given["name"] for given in way.get("parameters", ()) if given["in"] == "query"]
    return ", ".join(map(code, names))
