"""The gate of the double: what passes, what is refused, and what a reply still says."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

from pydantic import ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.cloud import wire
from tests.cloud.hosted import Answer, Hosting
from tests.cloud.wire import Json, Route

_STORAGE = "/storage/"
SERVICE_NAME = "localhost"
"""Monitoring and serving have another host name than the main API."""
_OURS = (b"idempotency-key", b"prefer", b"x-picsellia-authorization")
"""Headers that only our own serving kernels know."""
_NESTED = {"data": wire.DATA, "origin": wire.MODEL, "predictions": wire.PREDICTION}
_SURE = frozenset(["id", "name", "type", "oracle_host", "serving_host"])
"""What the SDK cannot do without of a deployment."""


class Notes(Protocol):
    """What a test and the double tell each other."""

    @property
    def faults(self) -> Any:
        """How it misbehaves now."""

    def take(self, name: str) -> bool:
        """Whether one more fault of a kind is due."""

    def accuse(self, what: str) -> None:
        """Note something that the SDK would never have sent."""


class Gate:
    """ASGI middleware around the local platform."""

    def __init__(self, app: ASGIApp, notes: Notes, origin: str) -> None:
        self._inner, self._notes = app, notes
        self._services = origin.replace("127.0.0.1", SERVICE_NAME)
        self._hosting = Hosting(self._ask)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(_STORAGE):
            await self._inner(scope, receive, send)
            return
        body = await _whole(receive)
        answer = await self._answer(scope, body)
        await answer.send(send)

    async def _answer(self, scope: Scope, body: bytes) -> Answer:
        method, path = scope["method"], scope["path"]
        known = wire.SERVICES if _is_service(scope) else wire.ROUTES
        routes = [route for route in known if route.pattern.fullmatch(path)]
        route = next((route for route in routes if route.method == method), None)
        if route is None:
            where = SERVICE_NAME if _is_service(scope) else "the main API"
            self._notes.accuse(f"{method} {path}: no such route of {where}")
            return Answer.refusal(405 if routes else 404, "Not found.")
        wrong = _wrong(route, scope, body)
        if wrong:
            self._notes.accuse(f"{method} {path}: {wrong}")
            return Answer.refusal(422, wrong)
        if self._is_spent(route, body):
            return Answer.refusal(402, "Your organization has no resources left.")
        if route.body is wire.Monitored and self._notes.take("conflicts"):
            return Answer.refusal(409, "This prediction exists.")
        return await self._performed(route, scope, body)

    async def _performed(self, route: Route, scope: Scope, body: bytes) -> Answer:
        if route.path == "/api/login":
            return await self._ask({**scope, "path": "/api/auth/login"}, body)
        if route.path.endswith("/predict"):
            return await self._hosting.predict(scope, body)
        if route.query is wire.STATISTIC and not self._notes.faults.plain_statistics:
            return Answer.json(200, {"data": {"nobody": "says what is in here"}})
        answer = await self._ask(scope, body)
        if route.body is wire.Monitored and answer.ok and self._notes.take("lost_replies"):
            return Answer.refusal(504, "Gateway timeout.")
        return self._told(route, answer)

    def _is_spent(self, route: Route, body: bytes) -> bool:
        if not self._notes.faults.quota_spent:
            return False
        if route.path.endswith("/predict"):
            return True
        return route.body is wire.NewDeployment and not json.loads(body).get("disable_serving")

    async def _ask(self, scope: Scope, body: bytes) -> Answer:
        """What the local platform says."""
        came: list[Any] = []
        sent = False

        async def receive() -> Any:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            came.append(message)

        await self._inner({**scope, "raw_path": scope["path"].encode()}, receive, send)
        content = b"".join(message.get("body", b"") for message in came[1:])
        return Answer(came[0]["status"], content)

    def _told(self, route: Route, answer: Answer) -> Answer:
        if not answer.content:
            return answer
        said = json.loads(answer.content)
        if not answer.ok:
            return Answer.refusal(answer.status, said["message"], said.get("detail"))
        if route.reply is not None and "items" in said:
            said["items"] = [self._stripped(item, route.reply) for item in said["items"]]
        elif route.reply is not None:
            said = self._stripped(said, route.reply)
        return Answer.json(answer.status, said)

    def _stripped(self, said: Json, keys: frozenset[str]) -> Json:
        """What the SDK reads of an object."""
        kept = {key: value for key, value in said.items() if key in keys}
        if keys is wire.DEPLOYMENT:
            kept["oracle_host"] = self._services
            kept["serving_host"] = None if said.get("disable_serving") else self._services
            if self._notes.faults.bare:
                kept = {key: value for key, value in kept.items() if key in _SURE}
        for key, within in _NESTED.items():
            if isinstance(kept.get(key), dict):
                kept[key] = self._stripped(kept[key], within)
            elif isinstance(kept.get(key), list) and keys is wire.ASSET:
                kept[key] = [self._stripped(one, within) for one in kept[key]]
        return kept


def _is_service(scope: Scope) -> bool:
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    return hosts[0].startswith(SERVICE_NAME.encode())


def _wrong(route: Route, scope: Scope, body: bytes) -> str:
    """What in a request the SDK would never have sent; empty where nothing is."""
    own = [name.decode() for name, _ in scope["headers"] if name.lower() in _OURS]
    asked = parse_qs(scope["query_string"].decode(), keep_blank_values=True)
    unknown = sorted(set(asked) - route.query)
    if own:
        return f"no such header: {', '.join(own)}"
    if unknown:
        return f"no such query: {', '.join(unknown)}"
    if route.body is not None:
        return _wrong_body(route.body.model_validate_json, body)
    if body and not route.path.endswith("/predict") and json.loads(body) != {}:
        return "no body is read here"
    return ""


def _wrong_body(read: Callable[[bytes], object], body: bytes) -> str:
    try:
        read(body)
    except ValidationError as error:
        said: list[Mapping[str, Any]] = [dict(one) for one in error.errors(include_input=False)]
        return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in said)
    return ""


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)
