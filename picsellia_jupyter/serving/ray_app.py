"""A deployment as an application of Ray Serve; these functions run inside the cluster."""

from __future__ import annotations

import json
import logging
import re
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    NotFoundError,
    PicselliaJupyterError,
)
from picsellia_jupyter.serving import refusals
from picsellia_jupyter.serving.replica import Replica, cache_of
from picsellia_jupyter.wire.predictions import Json

PREFIX = "picsellia-serving-"
"""Of the names of applications that serve a deployment."""
GATEWAY = "picsellia-gateway"
HOST, PORT = "127.0.0.1", 8000
REQUESTS_AT_ONCE = 64
"""That one replica takes; the others wait at the ingress."""
REQUESTS_WANTED = 8
"""In each replica, where their number follows the load."""
END_S = 150.0
"""A replica that ends first records what it has."""
_REPLY_S = 20.0
_ROUTES_S = 5.0
_ROUTE = re.compile(r"/deployments/([^/]+)/")

_log = logging.getLogger(__name__)


def start(name: str, job: Json, gpus: float) -> Json:
    """Have one replica try a job's model, for no deployment yet; returns at once.

    Args:
        name: of the application.
        job: a serving job as JSON.
        gpus: that a replica takes.

    Returns:
        `{"address": "http://HOST:PORT"}` of the ingress.
    """
    from ray import serve

    serve.start(http_options={"host": HOST, "port": PORT}, proxy_location="EveryNode")
    address = _ingress()
    trial = _trial(name)
    replica = _replica({"num_replicas": 1}, gpus).bind(cache_of(job), address, trial, None)
    _run(replica, trial, None)
    return {"address": address}


def attach(name: str, job: Json, scale: tuple[int, int], gpus: float, deployment_id: str) -> None:
    """Serve a deployment, in place of the trial; returns when its replicas are being started.

    A trial's replica is not kept: Serve replaces replicas whenever an application is changed.

    Args:
        name: of the application.
        job: a serving job as JSON.
        scale: the least and the most replicas.
        gpus: that each takes.
        deployment_id: what is served.
    """
    from ray import serve

    serve.delete(_trial(name))
    replica = _replica(_bounds(*scale), gpus)
    gateway: Any = serve.deployment(name="Gateway", ray_actor_options={"num_cpus": 0})(Gateway)
    _run(
        replica.bind(cache_of(job), _ingress(), name, deployment_id),
        name,
        f"/api/deployments/{deployment_id}",
    )
    if GATEWAY not in serve.status().applications:
        _run(gateway.bind(), GATEWAY, "/api")


def report(name: str) -> Json:
    """How a replica is, or how far Serve is with it.

    Returns:
        A front's `/control/status`, with `app`: Serve's own word for the application.
    """
    from ray import serve

    applications = serve.status().applications
    name = name if name in applications else _trial(name)
    known = applications.get(name)
    if known is None:
        return {"app": "DELETED", "detail": "the application was deleted"}
    app: Json = {"app": str(known.status.value), "detail": known.message}
    ready = any("RUNNING" in one.replica_states for one in known.deployments.values())
    if not ready:
        return app
    said = serve.get_app_handle(name).report.remote().result(timeout_s=_REPLY_S)
    return {**said, "app": app["app"], "replicas": _running(known)}


def stop(name: str) -> None:
    """End an application; returns when its replicas have recorded what they had."""
    from ray import serve

    for one in (name, _trial(name)):
        if one in serve.status().applications:
            serve.delete(one)


class Gateway:
    """Answers what is asked of no deployment's own route: the login, and the SDK's v2 routes."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._until = 0.0

    async def __call__(self, request: Request) -> Response:
        """Pass a request on to a replica of the deployment it is about."""
        from ray import serve

        body = await request.body()
        try:
            name = await self._name_of(_deployment_of(request.url.path, body))
        except PicselliaJupyterError as error:
            return await refusals.tell(request, error)
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        status, headers, answer = await serve.get_app_handle(name).answer.remote(
            request.method, target, request.headers.items(), body
        )
        reply = Response(answer, status)
        reply.raw_headers = [(key.encode(), value.encode()) for key, value in headers]
        return reply

    async def _name_of(self, deployment_id: str) -> str:
        now = time.monotonic()
        if deployment_id not in self._names or now > self._until:
            self._names, self._until = await _served(), now + _ROUTES_S
        if deployment_id not in self._names:
            raise NotFoundError.named("deployment", deployment_id, list(self._names))
        return self._names[deployment_id]


def _trial(name: str) -> str:
    return f"{name}-trial"


def _bounds(least: int, most: int) -> dict[str, Any]:
    if least == most:
        return {"num_replicas": least}
    scaled = {
        "min_replicas": least, "max_replicas": most, "target_ongoing_requests": REQUESTS_WANTED,
    }  # fmt: skip
    return {"autoscaling_config": scaled}


def _replica(bounds: dict[str, Any], gpus: float) -> Any:
    from ray import serve

    made: Any = serve.deployment(
        name="Replica",
        max_ongoing_requests=REQUESTS_AT_ONCE,
        graceful_shutdown_timeout_s=END_S,
        health_check_period_s=2.0,
        ray_actor_options={"num_cpus": 1, "num_gpus": gpus},
        **bounds,
    )
    return made(Replica)


def _run(application: Any, name: str, route: str | None) -> None:
    from ray import serve

    target = serve.RunTarget(target=application, name=name, route_prefix=route)
    serve.run_many([target], wait_for_applications_running=False)


async def _served() -> dict[str, str]:
    """The application of each deployment that is served."""
    from ray import serve

    names = [name for name in serve.status().applications if name.startswith(PREFIX)]
    found: dict[str, str] = {}
    for name in names:
        try:
            deployment_id = await serve.get_app_handle(name).serves.remote()
        except Exception as error:  # noqa: BLE001 - one that is ending must not hide the others
            _log.info("%s does not say what it serves: %s", name, error)
            continue
        if deployment_id:
            found[deployment_id] = name
    return found


def _deployment_of(path: str, body: bytes) -> str:
    """The deployment that a request is about, by its path or as the login names it."""
    found = _ROUTE.search(path)
    if found:
        return found[1]
    try:
        named = json.loads(body)["deployment_id"]
    except (ValueError, KeyError, TypeError):
        named = None
    if not isinstance(named, str):
        raise InvalidInputError("deployment_id is missing or no text.", "Name the deployment.")
    return named


def _running(known: Any) -> int:
    replica = known.deployments.get("Replica")
    return int(replica.replica_states.get("RUNNING", 0)) if replica else 0


def _ingress() -> str:
    """Where requests come in: as Serve was started, by whoever came first."""
    from ray.serve.context import _get_global_client

    # There is no public way to ask for it.
    options = _get_global_client().http_config
    host = options.host
    if host in ("0.0.0.0", "::"):  # noqa: S104 - somebody else's choice, which we follow
        import ray

        host = ray.util.get_node_ip_address()
    return f"http://{host}:{options.port}"
