"""Picsellia Serving, as the double hosts it: a model that finds one box in every image."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.types import Scope, Send

from tests.cloud.wire import Json

FIELDS = frozenset(
    ["tags", "monitor", "postprocess", "source", "upload_dir", "metadata", "custom_metadata"]
)
LATENCY_S = 0.01


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole reply."""

    status: int
    content: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether what was asked was done."""
        return self.status < 300

    @classmethod
    def json(cls, status: int, said: Json) -> Answer:
        """An object."""
        return cls(status, json.dumps(said).encode())

    @classmethod
    def refusal(cls, status: int, message: str, detail: Any = None) -> Answer:
        """An error as the cloud spells it."""
        return cls.json(status, {"message": message, "detail": detail})

    async def send(self, send: Send) -> None:
        """Answer with it."""
        headers = [(b"content-length", str(len(self.content)).encode())]
        if self.content:
            headers.append((b"content-type", b"application/json"))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.content})


Ask = Callable[[Scope, bytes], Awaitable[Answer]]


class Hosting:
    """Answers predictions and has them monitored."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def predict(self, scope: Scope, body: bytes) -> Answer:
        """Predict on the image of a form, as `Deployment.predict` of the SDK sends it."""
        form = await _form(scope, body)
        media, unknown = form.get("media"), sorted(set(form) - FIELDS - {"media"})
        if unknown or not isinstance(media, UploadFile):
            return Answer.refusal(422, f"The form is none: {unknown or 'no media'}.")
        photo = await media.read()
        try:
            with Image.open(io.BytesIO(photo)) as image:
                width, height, kind = *image.size, image.format
        except OSError:
            return Answer.refusal(400, f"{media.filename} is no image.")
        about = scope["path"].replace("/deployments/", "/deployment/")
        deployment = await self._ask(_to(scope, "GET", about.removesuffix("/predict")), b"")
        if not deployment.ok:
            return deployment
        found = _found(json.loads(deployment.content)["type"], width, height)
        if form.get("monitor") != "True":
            return Answer.json(200, found)
        said = {
            "filename": media.filename, "content_type": f"IMAGE/{kind}", "width": width,
            "height": height, "latency": LATENCY_S, "raw_predictions": found,
            "image": base64.b64encode(photo).decode(), "tags": form.getlist("tags"),
        }  # fmt: skip
        path = about.replace("/predict", "/predictions")
        recorded = await self._ask(_to(scope, "POST", path), json.dumps(said).encode())
        if not recorded.ok:
            return recorded
        return Answer.json(200, {**found, "id": json.loads(recorded.content)["id"]})


def _found(kind: str, width: int, height: int) -> Json:
    """One thing in the middle."""
    if kind == "CLASSIFICATION":
        return {"detection_classes": [1], "detection_scores": [0.9]}
    box = [height // 4, width // 4, height * 3 // 4, width * 3 // 4]
    return {"detection_classes": [1], "detection_scores": [0.9], "detection_boxes": [box]}


def _to(scope: Scope, method: str, path: str) -> Scope:
    kept = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    return {**scope, "method": method, "path": path, "query_string": b"", "headers": kept}


async def _form(scope: Scope, body: bytes) -> FormData:
    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    return await Request(scope, receive).form()
