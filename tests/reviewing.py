"""A deployment with predictions, on a local platform that runs, through its own API."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import httpx
from PIL import Image, ImageDraw

BOXES: dict[str, Any] = {
    "detection_classes": [0, 1, 1],
    "detection_scores": [0.9, 0.6, 0.05],
    "detection_boxes": [[10, 20, 60, 90], [70, 100, 110, 150], [0, 0, 9, 9]],
}
CLASSES = {"detection_classes": [1, 0], "detection_scores": [0.7, 0.3]}
WIDTH, HEIGHT = 200, 120


def photo(number: int = 0) -> bytes:
    """A JPEG of 200 x 120 pixels with dark blocks where the boxes are."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), (205, 210 - number % 40, 220))
    pen = ImageDraw.Draw(picture)
    for top, left, bottom, right in BOXES["detection_boxes"][:2]:
        pen.rectangle((left, top, right, bottom), fill=(60, 70, 80 + number % 40))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=80)
    return stream.getvalue()


class Furnished:
    """A deployment of a local platform, and short ways to fill it."""

    def __init__(
        self,
        host: str,
        token: str,
        name: str,
        *,
        kind: str = "OBJECT_DETECTION",
        labels: Sequence[str] = ("zero", "one", "two"),
    ) -> None:
        self.name = name
        bearer = {"Authorization": f"Bearer {token}"}
        self.http = httpx.Client(base_url=host, headers=bearer, timeout=60, trust_env=False)
        self.organization = self.http.get("/api/home/ping").json()["default_organization"]
        model = self.post(f"/api/organization/{self.organization}/models", name=f"model of {name}")
        version = self.post(
            f"/api/model/{model['id']}/versions",
            type=kind,
            labels={str(number): label for number, label in enumerate(labels)},
        )
        threshold = {} if kind == "CLASSIFICATION" else {"min_threshold": 0.1}
        made = self.post(f"/api/model/version/{version['id']}/deploy", name=name, **threshold)
        self.id = made["id"]
        login = self.post("/api/auth/login", api_token=token, deployment_id=self.id)
        self._monitoring = {"Authorization": f"Bearer {login['jwt']}"}

    def post(self, path: str, **body: Any) -> Any:
        reply = self.http.post(path, json=body)
        assert reply.is_success, reply.text
        return reply.json()

    def get(self, path: str, **params: Any) -> Any:
        reply = self.http.get(path, params=params)
        assert reply.is_success, reply.text
        return reply.json()

    def predict(self, filename: str = "page.jpg", raw: dict[str, Any] = BOXES, **more: Any) -> str:
        """Record a prediction; the id of its predicted asset."""
        body = {
            "filename": filename, "content_type": "IMAGE/JPEG", "width": WIDTH, "height": HEIGHT,
            "raw_predictions": raw, "latency": 0.01, "sample": True,
            "image": base64.b64encode(photo(len(filename))).decode(), **more,
        }  # fmt: skip
        path = f"/api/deployment/{self.id}/predictions"
        reply = self.http.post(path, json=body, headers=self._monitoring)
        assert reply.status_code == 201, reply.text
        found = self.get(f"/api/deployment/{self.id}/predictedassets/find", filename=filename)
        return str(found["id"])

    def predict_many(self, count: int, **more: Any) -> list[str]:
        return [self.predict(f"page-{number:03}.jpg", **more) for number in range(count)]

    def reviews_of(self, asset_id: str) -> list[dict[str, Any]]:
        """All reviews of an asset, the oldest first."""
        found: list[dict[str, Any]] = self.get(f"/api/predicted/asset/{asset_id}")["reviews"]
        return found

    def tags_of(self, asset_id: str) -> set[str]:
        data = self.get(f"/api/predicted/asset/{asset_id}")["data"]
        return {tag["name"] for tag in data["tags"]}

    def feed_into(self, name: str) -> str:
        """Make a dataset version that the feedback loop feeds; its id."""
        dataset = self.post(f"/api/organization/{self.organization}/datasets", name=name)
        version = self.post(f"/api/dataset/{dataset['id']}/versions", version="v1")
        self.post(f"/api/deployment/{self.id}/pipeline/fl/setup")
        self.post(f"/api/deployment/{self.id}/fl/datasets", dataset_version_id=version["id"])
        return str(version["id"])
