"""Routers whose routes an application takes as they are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter


class Router(APIRouter):
    """A FastAPI router that reads a body as JSON even where the caller does not say that it is.

    The SDK sends its logins and predictions so. FastAPI would take that from the application
    when the router is included, but analyses every route anew for it: 0.4 s at each start.
    """

    def __init__(self, **settings: Any) -> None:
        """Take FastAPI's own settings, among them `dependencies` and `tags`."""
        super().__init__(strict_content_type=False, **settings)
