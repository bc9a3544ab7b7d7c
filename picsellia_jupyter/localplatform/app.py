"""The platform as one ASGI application."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from picsellia_jupyter.localplatform import refusals
from picsellia_jupyter.localplatform.api import (
    assets,
    connect,
    data,
    datalakes,
    deployments,
    files,
    local,
    models,
    monitoring,
    oracle,
    resources,
    storage,
    tags,
    versions,
)
from picsellia_jupyter.localplatform.guard import Guard
from picsellia_jupyter.localplatform.ingesting import Ingest
from picsellia_jupyter.localplatform.platform import Platform

ROUTERS = (
    monitoring.router,
    connect.router,
    *resources.ROUTERS,
    tags.router,
    datalakes.router,
    data.router,
    storage.router,
    storage.signed,
    versions.router,
    files.router,
    models.router,
    deployments.router,
    deployments.either,
    oracle.open_to_all,
    oracle.router,
    assets.router,
    local.open_to_all,
    local.router,
)
"""The busiest route first, then literal paths before those with an id in their place."""


class Activity:
    """ASGI middleware that notes when the last request came, for the idle exit."""

    def __init__(self, app: ASGIApp, platform: Platform) -> None:
        self._app, self._platform = app, platform

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        self._platform.last_request_at = self._platform.clock()
        await self._app(scope, receive, send)


def build_app(platform: Platform) -> FastAPI:
    """Make the application around an open platform.

    Args:
        platform: its database, keys and clock; closing them is the caller's business.
    """
    app = FastAPI(title="Picsellia local platform", openapi_url=None, redirect_slashes=False)
    app.state.platform = platform
    app.state.ingest = Ingest(platform.store)
    app.state.routers = ROUTERS
    for router in ROUTERS:
        app.router.routes.extend(router.routes)  # see Router
    refusals.install(app)
    app.add_middleware(monitoring.Shortcut, handlers=app.exception_handlers)
    app.add_middleware(Activity, platform=platform)
    # Added last, so it is outermost: nothing is even parsed for whom it does not know.
    app.add_middleware(Guard, keyring=platform.keyring, clock=platform.clock)
    return app
