"""The Open Inference Protocol v2 with Triton's extensions, so that `tritonclient` works here."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import (
    NotFoundError,
    NotServingError,
    PicselliaJupyterError,
    ServingError,
)
from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.serving import (
    deadline,
    oip_body,
    oip_models,
    oip_tensors,
    refusals,
    release,
)
from picsellia_jupyter.serving.deadline import Deadline
from picsellia_jupyter.serving.oip_models import Offer, Spec
from picsellia_jupyter.serving.service import Service
from picsellia_jupyter.wire.predictions import Json

EXTENSIONS = ("binary_tensor_data", "model_configuration", "parameters", "statistics")

_log = logging.getLogger(__name__)


def build(service: Service) -> Starlette:
    """The routes below `/v2`, with errors as this protocol tells them."""
    health, models = _Health(service), _Models(service)
    app = Starlette(
        routes=[
            Route("/v2/health/live", health.live),
            Route("/v2/health/ready", health.ready),
            Route("/v2", _server),
            Route("/v2/repository/index", models.index, methods=["POST"]),
            Route("/v2/models/stats", models.all_statistics),
            *_of_model("/v2/models/{model:path}/versions/{version}", models),
            *_of_model("/v2/models/{model:path}", models),
        ],
        exception_handlers={
            PicselliaJupyterError: _tell,
            HTTPException: _tell_http,
            Exception: _tell_unexpected,
        },
    )
    app.router.redirect_slashes = False
    return app


def _of_model(path: str, models: _Models) -> Iterable[Route]:
    return (
        Route(f"{path}/ready", models.ready),
        Route(f"{path}/config", models.config),
        Route(f"{path}/stats", models.statistics),
        Route(f"{path}/infer", models.infer, methods=["POST"]),
        Route(path, models.metadata),
    )


async def _server(_request: Request) -> JSONResponse:
    """What answers, and which extensions it has."""
    return JSONResponse(
        {
            "name": "picsellia_jupyter",
            "version": release.version(),
            "extensions": list(EXTENSIONS),
        }
    )


class _Health:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def live(self, _request: Request) -> JSONResponse:
        """The process answers; needs no token."""
        return JSONResponse({"live": True})

    async def ready(self, _request: Request) -> JSONResponse:
        """Whether the deployment is served: 200 or 503; needs no token."""
        ready = self._service.status.state is ServingState.READY
        return JSONResponse({"ready": ready}, 200 if ready else 503)


@dataclass(slots=True)
class _Tally:
    """What became of the requests to one model."""

    success: int = 0
    success_ns: int = 0
    fail: int = 0
    fail_ns: int = 0
    last_ms: int = 0
    """When the last one was answered, milliseconds since the epoch, UTC."""

    def count(self, began_ns: int, *, succeeded: bool) -> None:
        """Note one request."""
        took = time.perf_counter_ns() - began_ns
        self.last_ms = time.time_ns() // 1_000_000
        if succeeded:
            self.success, self.success_ns = self.success + 1, self.success_ns + took
        else:
            self.fail, self.fail_ns = self.fail + 1, self.fail_ns + took

    def to_json(self) -> Json:
        """The figures that the extension `statistics` asks for and that are known here."""
        return {
            "last_inference": self.last_ms,
            "inference_count": self.success,
            "inference_stats": {
                "success": {"count": self.success, "ns": self.success_ns},
                "fail": {"count": self.fail, "ns": self.fail_ns},
            },
            "batch_stats": [],
        }


@dataclass(frozen=True, slots=True)
class _Asked:
    """The model that a request names."""

    name: str
    version: str
    offer: Offer
    tally: _Tally


class _Models:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._offers: Mapping[str, Offer] = {}
        self._tallies: dict[str, _Tally] = {}

    async def index(self, request: Request) -> JSONResponse:
        """Every model that can be named, as the extension `model_repository` lists them."""
        offers, version = self._offered(request)
        state = "READY" if self._service.status.state is ServingState.READY else "UNAVAILABLE"
        told = {"version": str(version.version), "state": state, "reason": ""}
        return JSONResponse([{"name": name, **told} for name in offers])

    async def ready(self, request: Request) -> JSONResponse:
        """Whether a model can be asked: 200 or 503."""
        asked = self._asked(request)
        ready = self._service.status.state is ServingState.READY
        return JSONResponse({"name": asked.name, "ready": ready}, 200 if ready else 503)

    async def metadata(self, request: Request) -> JSONResponse:
        """A model's inputs and outputs, with their types and shapes."""
        asked = self._asked(request)
        return JSONResponse(
            {
                "name": asked.name,
                "versions": [asked.version],
                "platform": self._service.model.runtime if self._service.model else "",
                "inputs": list(map(_spec, asked.offer.inputs)),
                "outputs": list(map(_spec, asked.offer.outputs)),
            }
        )

    async def config(self, request: Request) -> JSONResponse:
        """The model's configuration in Triton's form; dimensions are whole, batch included."""
        asked = self._asked(request)
        return JSONResponse(
            {
                "name": asked.name,
                "platform": "",
                "backend": "picsellia_jupyter",
                "version_policy": {"latest": {"num_versions": 1}},
                "max_batch_size": 0,
                "input": [_config(spec, optional=spec.optional) for spec in asked.offer.inputs],
                "output": [_config(spec) for spec in asked.offer.outputs],
            }
        )

    async def statistics(self, request: Request) -> JSONResponse:
        """How often a model was asked, and how long it took."""
        asked = self._asked(request)
        return JSONResponse({"model_stats": [_statistics(asked.name, asked.version, asked.tally)]})

    async def all_statistics(self, request: Request) -> JSONResponse:
        """The same of every model."""
        offers, version = self._offered(request)
        told = [_statistics(name, str(version.version), self._tally(name)) for name in offers]
        return JSONResponse({"model_stats": told})

    async def infer(self, request: Request) -> Response:
        """Predict: inputs and outputs as JSON, or with Triton's binary tensors."""
        asked = self._asked(request)
        began = time.perf_counter_ns()
        try:
            self._service.check_serves(request.state.deployment_id)
            async with Deadline(deadline.of_request(request.scope)) as until:
                response = await _infer(asked, request, until)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        except BaseException as error:
            asked.tally.count(began, succeeded=False)
            self._note(asked, error)
            raise
        asked.tally.count(began, succeeded=True)
        self._note(asked)
        return response

    def _note(self, asked: _Asked, error: BaseException | None = None) -> None:
        """Tensors of the model's own are no predictions of the deployment."""
        if asked.name == oip_models.PHOTOS:
            self._service.outcomes.note(error)

    def _asked(self, request: Request) -> _Asked:
        """The model that a request names.

        Raises:
            NotFoundError: there is no such model or version.
            NotServingError: none is loaded.
        """
        offers, version = self._offered(request)
        name = request.path_params["model"]
        if name not in offers:
            raise NotFoundError.named("model", name, list(offers))
        only = str(version.version)
        if (wanted := request.path_params.get("version", only)) != only:
            raise NotFoundError.named(f"version of {name}", wanted, [only])
        return _Asked(name, only, offers[name], self._tally(name))

    def _offered(self, request: Request) -> tuple[Mapping[str, Offer], ModelVersion]:
        self._service.check_is_of(request.state.deployment_id)
        version, model = self._service.version, self._service.model
        if version is None or model is None:
            raise NotServingError("No model is loaded.", "Wait for the kernel to be ready.")
        if not self._offers:
            self._offers = oip_models.offers(version, model, self._service)
        return self._offers, version

    def _tally(self, name: str) -> _Tally:
        return self._tallies.setdefault(name, _Tally())


async def _infer(asked: _Asked, request: Request, until: Deadline) -> Response:
    body = await oip_body.read(request)
    until.listen(request.receive)
    given = oip_tensors.read_request(*body)
    if (within_s := oip_models.timeout_s(given)) is not None:
        until.shorten(within_s)
    outputs = oip_models.select(await asked.offer.infer(given), given)
    head = {"model_name": asked.name, "model_version": asked.version}
    if given.id is not None:
        head["id"] = given.id
    reply, json_size = oip_tensors.write_reply(head, outputs, given)
    if json_size is None:
        return Response(reply, media_type="application/json")
    headers = {oip_body.JSON_SIZE: str(json_size)}
    return Response(reply, headers=headers, media_type="application/octet-stream")


def _spec(spec: Spec) -> Json:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _config(spec: Spec, **more: bool) -> Json:
    datatype = "STRING" if spec.datatype == oip_tensors.BYTES else spec.datatype
    return {"name": spec.name, "data_type": f"TYPE_{datatype}", "dims": list(spec.shape), **more}


def _statistics(name: str, version: str, tally: _Tally) -> Json:
    return {"name": name, "version": version, **tally.to_json()}


# Errors ------------------------------------------------------------------------------------


async def _tell(_request: Request, error: Exception) -> JSONResponse:
    headers = refusals.headers_of(error)
    return JSONResponse({"error": str(error)}, refusals.status_of(error), headers)


async def _tell_http(_request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, HTTPException):
        raise error
    remedy = "The Open Inference Protocol's routes are below /v2/models."
    return JSONResponse({"error": f"{error.detail}. {remedy}"}, error.status_code, error.headers)


async def _tell_unexpected(_request: Request, error: Exception) -> JSONResponse:
    _log.error("A request failed", exc_info=error)
    told = ServingError("The serving kernel made a mistake.", "Its log says which.")
    return JSONResponse({"error": str(told)}, 500)
