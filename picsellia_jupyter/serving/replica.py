"""One replica of a deployment on Ray Serve: a front's app and its model workers."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from picsellia_jupyter.clients.kernel import HeartbeatReply
from picsellia_jupyter.domain.deployments import Heartbeat, ServingJob, ServingState
from picsellia_jupyter.domain.errors import ServingError
from picsellia_jupyter.serving import app, logfile
from picsellia_jupyter.serving.activity import Activity
from picsellia_jupyter.serving.auth import Gatekeeper
from picsellia_jupyter.serving.platform import Connect, Platform, connector
from picsellia_jupyter.serving.service import Service
from picsellia_jupyter.wire import resources
from picsellia_jupyter.wire.predictions import Json


class Passed(Response):
    """A request that an app answers by itself, with whatever it streams."""

    def __init__(self, answering: ASGIApp) -> None:
        super().__init__()
        self._answering = answering

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the app answer; it knows nothing of the prefix that Serve routed by."""
        await self._answering({**scope, "root_path": ""}, receive, send)


class Replica:
    """Serves a job's model for a deployment, or tries it where none is named.

    All replicas of a deployment are one serving kernel to the platform. So none of them says
    that it has stopped while others go on.
    """

    def __init__(self, job: Json, address: str, name: str, deployment_id: str | None) -> None:
        """Prepare the model; without a deployment, begin to.

        Args:
            job: a serving job as JSON.
            address: of the ingress, `http://HOST:PORT`.
            name: of the application, to end it by.
            deployment_id: what it serves; it is ready when this returns.

        Raises:
            ServingError: the model could not be prepared for the deployment.
        """
        told = resources.job_from_json(job)
        self._name = name
        self._log = logfile.open_for(dataclasses.replace(told, kernel_id=_own_name(told)))
        self._service = Service(
            told, address, _quietly(connector(told), self._is_ending), log=self._log,
            on_gone=self._end,
        )  # fmt: skip
        self._app = app.build(
            self._service,
            Gatekeeper(told, _secret(told)),
            address,
            self._end,
            activity=Activity(None),
        )
        self._address = address
        if deployment_id is None:
            threading.Thread(target=self._service.prepare, name="prepare", daemon=True).start()
        else:
            self._attach(deployment_id)

    async def __call__(self, _request: Request) -> Passed:
        """Answer a request to the ingress."""
        return Passed(self._app)

    async def answer(
        self, method: str, target: str, headers: list[tuple[str, str]], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Answer a request that was read elsewhere: status, headers and body."""
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=self._address) as client:
            reply = await client.request(method, target, headers=headers, content=body)
        return reply.status_code, reply.headers.multi_items(), reply.content

    async def serves(self) -> str | None:
        """The deployment it serves."""
        return self._service.deployment_id

    async def report(self) -> Json:
        """How it is: the reply of a front's `/control/status`."""
        return self._service.report()

    def check_health(self) -> None:
        """Have Serve replace it where all its workers are given up.

        Raises:
            ServingError: it serves a deployment no more.
        """
        status = self._service.status
        if self._service.deployment_id and status.state is ServingState.UNHEALTHY:
            raise ServingError(status.detail)

    def __del__(self) -> None:
        """Answer what is at hand and record what was predicted; Serve waits for it."""
        self._service.stop("its replica was stopped")
        if self._log:
            self._log.close()

    def _attach(self, deployment_id: str) -> None:
        self._service.prepare()
        if self._service.status.error:
            raise ServingError(str(self._service.status.error))
        self._service.attach(deployment_id)

    def _end(self) -> None:
        """End the whole application, this replica with it."""
        from ray import serve

        serve.delete(self._name, _blocking=False)

    def _is_ending(self) -> bool:
        from ray import serve

        known = serve.status().applications.get(self._name)
        return known is None or known.status == "DELETING"


def _secret(job: ServingJob) -> bytes:
    """What signs tokens: every replica takes those of the others."""
    return hashlib.sha256(b"picsellia_jupyter replicas " + job.front_token.encode()).digest()


def _own_name(job: ServingJob) -> str:
    from ray import serve

    return f"{job.kernel_id}-{serve.get_replica_context().replica_id.unique_id}"


def _quietly(connect: Connect, is_ending: Callable[[], bool]) -> Connect:
    """Connections that tell of a stop only where no other replica goes on."""

    def make() -> Platform:
        platform: Any = connect()
        beat = platform.heartbeat

        def heartbeat(deployment_id: str, said: Heartbeat) -> HeartbeatReply:
            if said.state is ServingState.STOPPED and not is_ending():
                return HeartbeatReply(threshold=None, interval_s=0.0)
            told: HeartbeatReply = beat(deployment_id, said)
            return told

        platform.heartbeat = heartbeat
        return cast("Platform", platform)

    return make


def cache_of(job: Json) -> Json:
    """The job with a folder for model files on this node; the notebook's may not be here."""
    if Path(job["cache_dir"]).parent.is_dir():
        return job
    from platformdirs import user_data_path

    own = user_data_path("picsellia_jupyter", appauthor=False) / "cache" / "models"
    return {**job, "cache_dir": str(own)}
