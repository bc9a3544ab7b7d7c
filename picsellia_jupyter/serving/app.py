"""The front's routes: health, control, and those the Picsellia SDK calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    InvalidInputError,
    PicselliaJupyterError,
)
from picsellia_jupyter.domain.running import Running
from picsellia_jupyter.serving import json_body, oip, refusals, relay_routes
from picsellia_jupyter.serving.activity import Activity
from picsellia_jupyter.serving.auth import LIFETIME_LIMIT_S, LIFETIME_S, Gatekeeper, Guard
from picsellia_jupyter.serving.metrics import Metrics
from picsellia_jupyter.serving.predict_route import PredictRoutes, Shortcut
from picsellia_jupyter.serving.relay import Relay
from picsellia_jupyter.serving.service import Service
from picsellia_jupyter.wire.predictions import Json

_MAX_FLUSH_S = 300.0


def build(
    service: Service,
    keeper: Gatekeeper,
    address: str,
    on_stopped: Callable[[], None],
    *,
    activity: Activity,
    on_attached: Callable[[str], None] = lambda _deployment_id: None,
    relay: Relay | None = None,
) -> Guard:
    """The front as an ASGI app.

    Args:
        service: what it serves.
        keeper: knows the tokens.
        address: its own, `http://127.0.0.1:PORT`.
        on_stopped: called after the reply to a stop was sent.
        activity: notes the requests that ask the model.
        on_attached: told the deployment that it was attached to.
        relay: where requests to a platform wait that only a notebook reaches.
    """
    controls = Controls(
        service, keeper, on_stopped, activity, on_attached, relayed=relay is not None
    )
    predicting = PredictRoutes(service)
    metrics = Metrics(service.readings)
    app = Starlette(
        routes=[
            *control_routes(controls),
            *predicting.routes(),
            *relay_routes.routes(relay, controls.check_own),
            Route("/metrics", metrics.show),
            Route("/v2{rest:path}", oip.build(service)),
        ],
        exception_handlers={
            PicselliaJupyterError: refusals.tell,
            HTTPException: refusals.tell_http,
            ClientDisconnect: refusals.gone,
            Exception: refusals.tell,
        },
    )
    measured = metrics.around(Shortcut(app, predicting.image))
    return Guard(activity.around(measured), keeper, address)


def control_routes(controls: Controls) -> list[Route]:
    """Health, control, and the login."""
    own = "/api/deployments/{deployment_id}"
    return [
        Route("/health/live", controls.live),
        Route("/health/ready", controls.ready),
        Route("/control/status", controls.status),
        Route("/control/attach", controls.attach, methods=["POST"]),
        Route("/control/flush", controls.flush, methods=["POST"]),
        Route("/control/stop", controls.stop, methods=["POST"]),
        Route("/api/login", controls.login, methods=["POST"]),
        # Ours: a notebook that found the deployment again has no control token.
        Route(f"{own}/flush", controls.flush, methods=["POST"]),
        Route(f"{own}/stop", controls.stop, methods=["POST"]),
        Route(f"{own}/running", controls.running),
    ]


class Controls:
    """What answers to them."""

    def __init__(
        self,
        service: Service,
        keeper: Gatekeeper,
        on_stopped: Callable[[], None],
        activity: Activity,
        on_attached: Callable[[str], None],
        *,
        relayed: bool,
    ) -> None:
        self._service = service
        self._relayed = relayed
        self._keeper = keeper
        self._on_stopped = on_stopped
        self._activity = activity
        self._on_attached = on_attached

    async def live(self, _request: Request) -> JSONResponse:
        """The process answers; needs no token."""
        return JSONResponse({"live": True})

    async def ready(self, _request: Request) -> JSONResponse:
        """200 while the deployment is served, else 503, with its state; needs no token."""
        state = self._service.status.state
        return JSONResponse({"state": state.value}, 200 if state is ServingState.READY else 503)

    async def status(self, _request: Request) -> JSONResponse:
        """Everything that is known of the kernel: state, progress, model, backlog."""
        return JSONResponse({**self._service.report(), **self._activity.report()})

    async def running(self, request: Request) -> JSONResponse:
        """Device, precision, memory, workers, what it counted, and how long it has been idle."""
        self.check_own(request)
        now, idle = self._service.readings(), self._activity
        model, counted = now.model, self._service.outcomes
        predicted, latency_s = counted.timed
        told = Running(
            device=model.device if model else "",
            precision=model.precision if model else "",
            memory_bytes=model.memory_bytes if model else 0,
            workers=len(now.worker_pids),
            idle_s=idle.idle_s,
            idle_left_s=idle.left_s,
            relayed=self._relayed,
            predicted=predicted,
            failed=counted.so_far.failed,
            recorded=now.recorded,
            latency_s=latency_s,
        )
        return JSONResponse(dataclasses.asdict(told))

    async def attach(self, request: Request) -> JSONResponse:
        """Tell the kernel which deployment it serves: `deployment_id`."""
        deployment_id = json_body.text(await json_body.read(request.receive), "deployment_id")
        await run_in_threadpool(self._service.attach, deployment_id)
        await run_in_threadpool(self._on_attached, deployment_id)
        return JSONResponse({})

    async def flush(self, request: Request) -> JSONResponse:
        """Wait until what is on its way is recorded, `timeout_s` at most; what is left."""
        self.check_own(request)
        timeout_s = (await json_body.read(request.receive)).get("timeout_s", 10.0)
        if isinstance(timeout_s, bool) or not isinstance(timeout_s, int | float):
            raise InvalidInputError(f"timeout_s is {timeout_s!r}.", "Send a number of seconds.")
        within_s = min(max(float(timeout_s), 0.0), _MAX_FLUSH_S)
        await run_in_threadpool(self._service.flush, within_s)
        return JSONResponse(self._service.backlog())

    async def stop(self, request: Request) -> JSONResponse:
        """Stop serving; answers when all is recorded or given up, after 135 s at most."""
        self.check_own(request)
        outcome = await run_in_threadpool(self._service.stop)
        told = dataclasses.asdict(outcome)
        return JSONResponse(told, background=BackgroundTask(self._on_stopped))

    async def login(self, request: Request) -> JSONResponse:
        """A token (`jwt`) for `api_token` and `deployment_id`, good for `lifetime_s`."""
        body = await json_body.read(request.receive)
        deployment_id = json_body.text(body, "deployment_id")
        token, expires = await self._keeper.login(
            json_body.text(body, "api_token"), deployment_id, lifetime_s=_lifetime(body)
        )
        # While it is paused too: each prediction then says why, and it can be stopped.
        self._service.status.check_answering()
        self._service.check_is_of(deployment_id)
        return JSONResponse({"jwt": token, "expires": expires})

    def check_own(self, request: Request) -> None:
        """Refuse a token for another deployment; the control routes have none in their path."""
        deployment_id = request.path_params.get("deployment_id")
        if deployment_id is None:
            return
        if request.state.deployment_id != deployment_id:
            raise AuthenticationError("The token is for another deployment.", "Log in again.")
        self._service.check_is_of(deployment_id)


def _lifetime(body: Json) -> int:
    """How long a token is to be good: an hour, if the client does not say."""
    value = body.get("lifetime_s", LIFETIME_S)
    if type(value) is not int or not 0 < value <= LIFETIME_LIMIT_S:
        raise InvalidInputError(
            f"lifetime_s is {value!r}.", f"Send a whole number of seconds up to {LIFETIME_LIMIT_S}."
        )
    return value
