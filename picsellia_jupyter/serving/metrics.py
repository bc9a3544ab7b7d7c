"""Prometheus metrics of a serving kernel, at `/metrics`."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from picsellia_jupyter.serving.readings import Readings
from picsellia_jupyter.serving.traffic import ROUTES, Measured, Requests


class Metrics:
    """Measures requests, and tells of them and of everything else when it is asked."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        """Make it.

        Args:
            read: what else there is to measure, now; from any thread.
        """
        self._requests = {route: Requests() for route in ROUTES}
        self._read = read

    def around(self, app: ASGIApp) -> ASGIApp:
        """The same app with its requests measured."""
        return Measured(app, self._requests)

    def show(self, request: Request) -> Response:
        """The reply to a scrape; it takes a few milliseconds, so not in the event loop."""
        # Imported here: nobody may ever ask, and a serving kernel should start soon.
        from picsellia_jupyter.serving import exposition

        accepted = request.headers.get("accept", "")
        text, content_type = exposition.render(accepted, self._requests, self._read())
        return Response(text, headers={"Content-Type": content_type})
