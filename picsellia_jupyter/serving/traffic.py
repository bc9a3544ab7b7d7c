"""Counts the requests that predict, at next to no cost to them."""

from __future__ import annotations

import bisect
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets of a request's duration."""
ROUTES = ("predict", "infer")
"""Last parts of the paths of requests that are measured."""
OUTCOMES = ("success", "refused", "busy", "failure", "abandoned")


class Requests:
    """What became of the requests to one route. Written by the event loop's thread alone."""

    def __init__(self) -> None:
        self.outcomes = dict.fromkeys(OUTCOMES, 0)
        self.in_flight = 0
        self.buckets = [0] * (len(SECONDS) + 1)
        """Requests of each bucket of `SECONDS`, the last one without a bound."""
        self.seconds = 0.0

    def count(self, status: int | None, seconds: float) -> None:
        """Note a request that was answered so, or that nobody waited for."""
        self.outcomes[outcome_of(status)] += 1
        self.buckets[bisect.bisect_left(SECONDS, seconds)] += 1
        self.seconds += seconds


def outcome_of(status: int | None) -> str:
    """What an HTTP status says of a request; None where none was sent."""
    if status is None:
        return "abandoned"
    if status < 400:
        return "success"
    if status in (429, 503, 504):
        return "busy"
    return "refused" if status < 500 else "failure"


class Measured:
    """An app, and what becomes of those of its requests that predict."""

    def __init__(self, app: ASGIApp, requests: Mapping[str, Requests]) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it if it predicts."""
        requests = self._requests.get(scope["path"].rpartition("/")[2])
        if requests is None or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), None

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        requests.in_flight += 1
        try:
            await self._app(scope, receive, watched)
        finally:
            requests.in_flight -= 1
            requests.count(status, time.perf_counter() - began)
