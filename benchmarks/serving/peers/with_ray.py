"""Ray Serve: `python -m benchmarks.serving.peers.with_ray FOLDER PORT [--batch N]`.

Tuned: two replicas of one core each, a raw request handled without FastAPI, a short wait.
"""

from __future__ import annotations

import argparse
import asyncio
import signal
from pathlib import Path
from typing import Any

import ray  # noqa: TID253 - it is what this module is for
from ray import serve  # noqa: TID253

from benchmarks.serving import limit


class Detector:
    """The engine in a replica."""

    def __init__(self, folder: str) -> None:
        self._engine = limit.engine_of(Path(folder))

    async def __call__(self, request: Any) -> Any:
        """Answer one request."""
        from starlette.responses import Response

        form = await request.form()
        photo = await form["media"].read()
        found = await self.predict(photo)
        return Response(limit.answer(found), media_type="application/json")

    @serve.batch(max_batch_size=4, batch_wait_timeout_s=0.001)  # type: ignore[untyped-decorator]
    async def predict(self, photos: list[bytes]) -> list[Any]:
        """Answer a batch; on the CPU its photos are run one by one, off the event loop."""
        return await asyncio.to_thread(self._predict, photos)

    def _predict(self, photos: list[bytes]) -> list[Any]:
        return [self._engine.predict(photo, "photo.jpg", record=False).found for photo in photos]


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    given = parser.parse_args()
    ray.init(num_cpus=4, include_dashboard=False, logging_level="error", log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": given.port, "access_log": False})
    replicas = serve.deployment(
        num_replicas=2, max_ongoing_requests=64, ray_actor_options={"num_cpus": 1}
    )(Detector)
    serve.run(replicas.bind(str(given.folder)), route_prefix="/predict")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
