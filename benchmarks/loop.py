"""What closing the loop costs: storing a review, submitting a thousand, changing the champion.

A local platform in a process of its own, SQLite with `synchronous=FULL`; the client is that of a
session, as the review deck has it. Images are JPEGs of 1280 x 960 pixels with twenty boxes each.

- *Save*: from the call to the acknowledged, durable review; goal: at most 50 ms, median.
- *Read*: a predicted asset with its photo, made ready for a page.
- *Choose*: a random queue, and the most uncertain images, out of all.
- *Submit*: all reviews, with a feedback loop into one dataset version; goal for 1,000: at most 5 s.
- *Promote*: 10,000 predictions while the champion changes twice (`benchmarks/promotion.py`); goal:
  none fails, and p99 is at most twice that without a change.
"""

from __future__ import annotations

import argparse
import base64
import functools
import io
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import promotion
from benchmarks.platform import Running, running
from benchmarks.serving.goals import Goals
from picsellia_jupyter.display.embedding import opened
from picsellia_jupyter.display.overlay import MAX_SIDE
from picsellia_jupyter.display.viewer import photo_url
from picsellia_jupyter.handles.reviews import ReviewItem
from picsellia_jupyter.session import Session

GOAL_SAVE_MS = 50.0
GOAL_SUBMIT_S = 5.0
WIDTH, HEIGHT, BOXES = 1280, 960, 20
NAME = "bench"


def main() -> int:
    """Measure, print the table and the goals; 0 where they hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--only", choices=("reviews", "promote"), help="the other is left out")
    args = parser.parse_args()
    goals = Goals()
    if args.only != "promote":
        with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as platform:
            _measure(platform, 100 if args.quick else 1000, goals)
    if args.only != "reviews":
        promotion.measure(1_000 if args.quick else 10_000, goals)
    goals.show()
    return 0 if goals.held else 1


def _measure(platform: Running, count: int, goals: Goals) -> None:
    _furnish(platform, count)
    session = Session(platform.host, platform.token)
    session.deployment(NAME)
    choose_ms = _timed(lambda: session.reviews(NAME, limit=count))
    doubt_ms = _timed(lambda: session.reviews(NAME, policy="uncertain", limit=count))
    reviews = session.reviews(NAME, limit=count)
    read_ms = [_timed(functools.partial(_read, item)) for item in reviews]
    save_ms = [_timed(item.accept) for item in reviews]
    submit_s = _timed(reviews.submit) / 1000
    p50, p99 = np.percentile(save_ms, (50, 99))
    read_p50, read_p99 = np.percentile(read_ms, (50, 99))
    rows = [
        ("Save a review", f"{p50:.1f} ms", f"p99 {p99:.1f} ms"),
        ("Read an image ahead", f"{read_p50:.1f} ms", f"p99 {read_p99:.1f} ms"),
        (f"Choose of {count:,} at random", f"{choose_ms:.1f} ms", ""),
        (f"Choose of {count:,} uncertain", f"{doubt_ms:.1f} ms", ""),
        (f"Submit {count:,} reviews", f"{submit_s:.2f} s", f"{BOXES} boxes each"),
    ]
    for name, figure, note in rows:
        print(f"{name:<28}{figure:>16}  {note}")
    goals.at_most("R1", "save a review, p50", float(p50), GOAL_SAVE_MS, " ms")
    goals.at_most("R2", f"submit {count:,} reviews", submit_s, GOAL_SUBMIT_S, " s")


def _read(item: ReviewItem) -> None:
    photo_url(opened(item.prediction.photo, MAX_SIDE, item.subject.image.source))


def _timed(call: Callable[[], object]) -> float:
    """Milliseconds that a call takes."""
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def _furnish(platform: Running, count: int) -> None:
    with platform.client() as http:

        def post(path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> Any:
            reply = http.post(path, json=body, headers=headers)
            reply.raise_for_status()
            return reply.json()

        organization = http.get("/api/home/ping").json()["default_organization"]
        model = post(f"/api/organization/{organization}/models", {"name": NAME})
        kind = {"type": "OBJECT_DETECTION", "labels": {"0": "cat", "1": "dog"}}
        version = post(f"/api/model/{model['id']}/versions", kind)
        made = post(f"/api/model/version/{version['id']}/deploy", {"name": NAME})
        dataset = post(f"/api/organization/{organization}/datasets", {"name": NAME})
        truth = post(f"/api/dataset/{dataset['id']}/versions", {"version": "v1"})
        deployment = f"/api/deployment/{made['id']}"
        post(f"{deployment}/pipeline/fl/setup", {})
        post(f"{deployment}/fl/datasets", {"dataset_version_id": truth["id"]})
        login = {"api_token": platform.token, "deployment_id": made["id"]}
        bearer = {"Authorization": f"Bearer {post('/api/auth/login', login)['jwt']}"}
        photo = _photo()
        for number in range(count):
            post(f"{deployment}/predictions", _predicted(number, photo), bearer)


def _predicted(number: int, photo: str) -> dict[str, Any]:
    chance = np.random.default_rng(number)
    top, left = chance.integers(0, HEIGHT - 100, BOXES), chance.integers(0, WIDTH - 100, BOXES)
    boxes: Sequence[Any] = np.column_stack([top, left, top + 90, left + 80]).tolist()
    raw = {
        "detection_classes": chance.integers(0, 2, BOXES).tolist(),
        "detection_scores": chance.uniform(0.2, 1, BOXES).tolist(),
        "detection_boxes": boxes,
    }
    return {
        "filename": f"{number:05}.jpg", "content_type": "IMAGE/JPEG", "width": WIDTH,
        "height": HEIGHT, "raw_predictions": raw, "latency": 0.01, "image": photo, "sample": True,
    }  # fmt: skip


def _photo() -> str:
    from PIL import Image

    chance = np.random.default_rng(0)
    coarse = chance.integers(0, 255, (HEIGHT // 8, WIDTH // 8, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(coarse).resize((WIDTH, HEIGHT)).save(stream, "JPEG", quality=85)
    return base64.b64encode(stream.getvalue()).decode()


if __name__ == "__main__":
    raise SystemExit(main())
