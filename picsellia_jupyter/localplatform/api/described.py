"""The description of our own routes: everything under `/api/local`, as OpenAPI."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.routing import Router

PREFIX = "/api/local"


class Refusal(BaseModel):
    """Why a request was refused, and what to do about it."""

    message: str
    detail: str | None


REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": said}
    for status, said in {
        400: "A value cannot be used.",
        401: "The token is missing, unknown or expired.",
        402: "No MPU is left.",
        403: "The caller may not do this.",
        404: "There is no such thing.",
        409: "It is there already, or in use.",
        413: "The body is too large.",
        422: "The request has another form.",
        503: "A bucket cannot be reached.",
        507: "The disk is full.",
    }.items()
}
"""How every route of ours may refuse."""

router = Router(dependencies=[NeedsUser])


@router.get(f"{PREFIX}/openapi.json", include_in_schema=False)
def describe(here: Here, request: Request) -> dict[str, Any]:
    """All routes of ours."""
    routes = [route for router in request.app.state.routers for route in router.routes]
    own = [route for route in routes if getattr(route, "path", "").startswith(PREFIX)]
    described = get_openapi(
        title="Picsellia local platform",
        version=here.version,
        summary="What the local platform does beyond Picsellia's own API.",
        routes=own,
    )
    described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    described["security"] = [{"token": []}]
    return described
