"""When the model was last asked for something; whatever else is asked does not count."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from picsellia_jupyter.wire.predictions import Json

_ASKS_THE_MODEL = re.compile(r"/predict(/batch|/shadow)?$|^/v2/models/.*/infer$")


class Activity:
    """Notes the requests that ask the model. Written by the front's event loop alone."""

    def __init__(self, idle_s: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to wait.

        Args:
            idle_s: so long without a request is too long; None never is.
            clock: tells seconds.
        """
        self.idle_s = idle_s
        self.requests = 0
        """That were begun so far."""
        self._under_way = 0
        self._clock = clock
        self._last = clock()

    def around(self, app: ASGIApp) -> ASGIApp:
        """The same app with its requests noted."""

        async def noted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["method"] != "POST" or not _ASKS_THE_MODEL.search(scope["path"]):
                await app(scope, receive, send)
                return
            self.requests += 1
            self._under_way += 1
            try:
                await app(scope, receive, send)
            finally:
                self._under_way -= 1
                self._last = self._clock()

        return noted

    @property
    def left_s(self) -> float | None:
        """Seconds until it has been idle for too long; None where it never is."""
        if self.idle_s is None:
            return None
        waited = 0.0 if self._under_way else self._clock() - self._last
        return max(self.idle_s - waited, 0.0)

    def report(self) -> Json:
        """The part of `/control/status` that says when it ends by itself."""
        return {"idle_s": self.idle_s, "idle_left_s": self.left_s, "requests": self.requests}
