"""Weeks of traffic in seconds: predictions that were made once, recorded at other times."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from picsellia_jupyter.demo.catalog import ground_truth
from picsellia_jupyter.demo.pages import Page
from picsellia_jupyter.domain.predictions import Detections, PredictedImage
from picsellia_jupyter.handles.deployment import Deployment
from picsellia_jupyter.session import Session
from picsellia_jupyter.wire.predictions import to_raw

_AT_ONCE = 16


class Replay:
    """Records predictions in a deployment of the local platform as if they came at other times."""

    def __init__(self, session: Session, deployment: Deployment) -> None:
        platform = session.platform
        self._deployment = deployment
        self._user = _client(platform.host, platform.token)
        body = {"api_token": platform.token, "deployment_id": deployment.id}
        token = _json(self._user.post("/api/auth/login", json=body))["jwt"]
        self._recorder = _client(platform.host, token)

    def play(
        self,
        found: Sequence[PredictedImage],
        count: int,
        *,
        since: float,
        until: float,
        seed: int,
        source: str | None = None,
    ) -> None:
        """Record some of the predictions again and again, without their images.

        Args:
            found: each is drawn as often as chance has it.
            count: predictions in all.
            since: of the first one, seconds since the epoch, UTC.
            until: of the last one.
            seed: the same seed draws the same ones.
            source: that they are sent with.
        """
        rng = np.random.default_rng(seed)
        moments = np.sort(rng.uniform(since, until, count))
        rows = rng.integers(0, len(found), count)
        # Many at once: the platform makes them durable together.
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            waiting = [
                pool.submit(self._record, found[int(row)], float(at), source, sample=False)
                for at, row in zip(moments, rows, strict=True)
            ]
        for one in waiting:
            one.result()

    def review(
        self,
        found: Sequence[PredictedImage],
        *,
        since: float,
        until: float,
        written: Mapping[str, Page] | None = None,
        source: str | None = None,
    ) -> None:
        """Record the predictions with their images, and what is really written on the pages.

        Args:
            found: pages of the demo, or pictures of them under the same names.
            since: of the first one, seconds since the epoch, UTC.
            until: of the last one.
            written: pages that are not of the demo, by the names of their files.
            source: that they are sent with.
        """
        labels, names = self._labels(), [Path(one.source).name for one in found]
        truths = [
            written[name].truth if written and name in written else ground_truth(name)
            for name in names
        ]
        moments = np.linspace(since, until, len(found)).tolist()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._review, found, moments, truths, repeat(labels), repeat(source)))

    def _review(
        self,
        image: PredictedImage,
        at: float,
        truth: Detections,
        labels: Mapping[str, str],
        source: str | None,
    ) -> None:
        ident = self._record(image, at, source, sample=True)
        path = f"/api/deployment/{self._deployment.id}/predictedassets/find"
        asset = _json(self._user.get(path, params={"oracle_prediction_id": ident}))
        shapes = {"rectangles": list(_written(truth, labels, self._deployment.labels))}
        _json(self._user.post(f"/api/predicted/asset/{asset['id']}/reviews", json=shapes))

    def close(self) -> None:
        """Close the connections."""
        self._user.close()
        self._recorder.close()

    def _record(self, image: PredictedImage, at: float, source: str | None, *, sample: bool) -> str:
        path = Path(image.source)
        body: dict[str, Any] = {
            "filename": path.name,
            "content_type": "IMAGE/JPEG",
            "width": image.size.width,
            "height": image.size.height,
            "raw_predictions": to_raw(image.found, image.size),
            "latency": image.latency_s,
            "timestamp": at,
            "sample": sample,
            "source": source,
        }
        if sample:
            body["image"] = base64.b64encode(path.read_bytes()).decode("ascii")
        where = f"/api/deployment/{self._deployment.id}/predictions"
        return str(_json(self._recorder.post(where, json=body))["id"])

    def _labels(self) -> Mapping[str, str]:
        path = f"/api/deployment/{self._deployment.id}/labels"
        return {one["name"]: one["id"] for one in _json(self._user.get(path))["items"]}


def _written(
    truth: Detections, labels: Mapping[str, str], names: Mapping[int, str]
) -> Iterator[dict[str, Any]]:
    for index, (left, top, right, bottom) in zip(
        truth.classes.tolist(), np.rint(truth.boxes_xyxy).astype(int).tolist(), strict=True
    ):
        box = {"x": left, "y": top, "w": right - left, "h": bottom - top}
        yield {**box, "label_id": labels[names[index]]}


def _client(host: str, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.Client(base_url=host, headers=headers, timeout=60, trust_env=False)


def _json(reply: httpx.Response) -> Any:
    reply.raise_for_status()
    return reply.json()
