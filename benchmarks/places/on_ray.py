"""The toy app behind Ray Serve's ingress, and whether a second replica pays."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import logging
import socket
from collections.abc import Iterator
from typing import Any

from starlette.requests import Request

from benchmarks.places import load, toy
from benchmarks.serving.goals import Goals

SERIAL_S = 0.02
"""Work that a replica does for one request after another, as a device without batches would."""
CLIENTS = 8


class Replica:
    """Answers as a replica of ours does: with an app that Serve hands the request to."""

    def __init__(self, serial: bool) -> None:
        self._serial = serial
        self._device = asyncio.Lock()
        self._toy: toy.Toy | None = None

    async def __call__(self, _request: Request) -> Any:
        """Answer a request."""
        from picsellia_jupyter.serving.replica import Passed

        if self._serial:
            async with self._device:
                await asyncio.sleep(SERIAL_S)
        if self._toy is None:
            self._toy = toy.Toy(*await asyncio.open_connection(sock=toy.start_worker()))
        return Passed(self._toy)


def installed() -> bool:
    """Whether Ray Serve can be had."""
    return importlib.util.find_spec("ray") is not None


@contextlib.contextmanager
def ingress() -> Iterator[str]:
    """A Ray of this process with one replica; the address to ask."""
    import ray
    from ray import serve

    logging.getLogger("ray.serve").setLevel(logging.WARNING)
    ray.init(num_cpus=4, include_dashboard=False, logging_level="error", log_to_driver=False)
    try:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        serve.start(http_options={"host": "127.0.0.1", "port": port, "access_log": False})
        serve.run(_replicas(1, serial=False), name="toy", route_prefix="/toy")
        yield f"http://127.0.0.1:{port}"
    finally:
        serve.shutdown()
        ray.shutdown()


def judge_replicas(address: str, goals: Goals, requests: int) -> None:
    """Measure one replica and two on work that each does one by one."""
    from ray import serve

    headers = {"Authorization": f"Bearer {toy.TOKEN}"}
    per_s = []
    for replicas in (1, 2):
        serve.run(_replicas(replicas, serial=True), name="serial", route_prefix="/serial")
        load.measure(f"{address}/serial", headers, CLIENTS, CLIENTS * 2)
        per_s.append(load.measure(f"{address}/serial", headers, CLIENTS, requests).per_s)
    one, two = per_s
    goals.at_least("P7", f"Ray, two replicas beside one ({one:.0f}/s)", two / one, 1.7, " x")


def _replicas(number: int, *, serial: bool) -> Any:
    from ray import serve

    options = {"num_replicas": number, "max_ongoing_requests": 64}
    made: Any = serve.deployment(ray_actor_options={"num_cpus": 1}, **options)(Replica)
    return made.bind(serial)
