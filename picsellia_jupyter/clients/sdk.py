"""The official SDK, behind one door: its objects, its formats and its errors.

The only module that imports `picsellia`; `clients.platform` puts our verbs on top.
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from typing_extensions import ParamSpec

from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    PicselliaJupyterError,
    PlatformError,
    PlatformUnreachableError,
    QuotaSpentError,
)
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.wire.predictions import Json, to_raw

_LOOPBACK = ("127.0.0.1", "localhost", "::1")

P = ParamSpec("P")
R = TypeVar("R")


def translated(call: Callable[P, R]) -> Callable[P, R]:
    """Turn the SDK's and its HTTP library's exceptions into ours; they stay as the cause."""

    @functools.wraps(call)
    def inner(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return call(*args, **kwargs)
        except PicselliaJupyterError:
            raise
        except Exception as error:
            ours = _ours(error)
            if ours is None:
                raise
            if isinstance(ours, QuotaSpentError) and not ours.remedy:
                ours = _spent(ours.fact, args[0] if args else None)
            raise ours from error

    return inner


def connect(
    host: str,
    token: str,
    *,
    organization_id: str | None,
    organization: str | None,
    relay: str | None = None,
) -> tuple[Any, Json]:
    """The SDK's client for an organization, and what the platform's ping said.

    Args:
        host: of the platform.
        token: for it.
        organization_id: which one; the default one where neither is given.
        organization: its name.
        relay: address of a proxy that alone leads to this host.
    """
    _leave_logging_alone()
    import picsellia
    from picsellia.sdk.connection import Connection

    # Unlike the SDK's constructor, a ping of our own keeps the kinds of failure apart.
    with Connection(host, token, session=_session(host, relay)) as connection:
        ping = cast("Json", connection.get("/api/home/ping").json())
    client = picsellia.Client(
        api_token=token,
        organization_id=organization_id,
        organization_name=organization,
        host=host,
        session=_session(host, relay),
    )
    return client, ping


def _session(host: str, relay: str | None) -> Any:
    """A session whose requests to a host go through a relay, and no others; None without one."""
    if relay is None:
        return None
    import requests  # noqa: TID251 - the SDK's own sessions are made here

    session = requests.Session()
    session.trust_env = False
    session.proxies = {f"http://{urlsplit(host).hostname}": relay}
    return session


def monitored_deployment(
    connection: Any, raw: Mapping[str, Any], relay: str | None = None, *, once: bool = False
) -> Any:
    """The SDK's deployment, logged in to monitoring only: `Endpoint` speaks to serving.

    Args:
        connection: to the main API.
        raw: what that says of the deployment.
        relay: address of a proxy that alone leads to its host.
        once: whether nothing is sent again by the SDK itself: a prediction whose reply is lost
            may be recorded, and the cloud would record it twice.
    """
    from picsellia.sdk.connection import JwtServiceConnection
    from picsellia.sdk.deployment import Deployment

    if relay is not None:
        # Its own login would not go through the relay.
        deployment = Deployment(connection, {**raw, "serving_host": None, "oracle_host": None})
        deployment._oracle_connection = JwtServiceConnection(
            raw["oracle_host"],
            {"api_token": connection.api_token, "deployment_id": str(deployment.id)},
            login_path="/api/auth/login",
            session=_session(raw["oracle_host"], relay),
        )
        return deployment
    deployment = Deployment(connection, {**raw, "serving_host": None})
    if once and deployment._oracle_connection is not None:
        _send_once(deployment)
    host = urlsplit(raw.get("oracle_host") or "").hostname
    if host in _LOOPBACK and deployment._oracle_connection is not None:
        # No proxy leads to this machine; looking for one is a fifth of a call's time.
        deployment._oracle_connection.session.trust_env = False
    return deployment


def _send_once(deployment: Any) -> None:
    """Leave out the SDK's retries around monitoring: of what is silent, and of HTTP 502 to 504."""
    from picsellia.sdk import connection

    post = connection.wrapped_request(connection.AbstractConnection.post)
    deployment._oracle_connection.post = post.__get__(deployment._oracle_connection)
    retried = type(deployment)._request_monitor
    deployment._request_monitor = retried.__wrapped__.__get__(deployment)


def predictions_data() -> Any:
    """The statistic of single predictions; its members compare equal, so never use `==`."""
    from picsellia.types.enums import ServiceMetrics

    return ServiceMetrics.PREDICTIONS_DATA


def aggregated_services() -> list[Any]:
    """The statistics that the platform sums up, each with its `name`."""
    from picsellia.types.enums import ServiceMetrics

    return [one for one in ServiceMetrics if one.is_aggregation]


def is_not_found(error: Exception) -> bool:
    """Whether the platform said that something is not there (HTTP 404)."""
    from picsellia.exceptions import ResourceNotFoundError

    return isinstance(error, ResourceNotFoundError)


def is_conflict(error: Exception) -> bool:
    """Whether the platform said that something is in the way (HTTP 409)."""
    from picsellia.exceptions import ResourceConflictError

    return isinstance(error, ResourceConflictError)


def prediction_format(predicted: PredictedImage) -> Any:
    """The SDK's payload class for what was found, checked by it."""
    from picsellia.types import schemas_prediction as formats

    kind = {
        InferenceType.CLASSIFICATION: formats.ClassificationPredictionFormat,
        InferenceType.OBJECT_DETECTION: formats.DetectionPredictionFormat,
        InferenceType.SEGMENTATION: formats.SegmentationPredictionFormat,
        InferenceType.LINE: formats.LinePredictionFormat,
        InferenceType.POINT: formats.PointPredictionFormat,
        InferenceType.KEYPOINT: formats.KeypointPredictionFormat,
        InferenceType.MASK: formats.MaskPredictionFormat,
    }[predicted.found.inference_type]
    return kind(**to_raw(predicted.found, predicted.size))


def monitor_shadow_of(
    deployment: Any, prediction_id: str, latency_s: float, found: Any, version_id: str
) -> None:
    """Record a shadow's prediction, and which model version it is of.

    The SDK's `monitor_shadow_from_oracle_prediction_id`, with one key more.
    """
    import orjson
    from picsellia import exceptions as sdk

    body = {
        "shadow_raw_predictions": found.model_dump(),
        "shadow_latency": latency_s,
        "model_version_id": version_id,
    }
    reply = deployment.oracle_connection.post(
        path=f"/api/prediction/{prediction_id}/shadow", data=orjson.dumps(body)
    )
    if reply.status_code == 409:
        raise sdk.MonitorError(f"It has already been processed: {reply.text}")
    if reply.status_code != 201:
        raise sdk.MonitorError(
            f"Our monitoring service could not handle your shadow prediction: {reply.status_code}. "
            f"Check {reply.text}"
        )


def _leave_logging_alone() -> None:
    # On import the SDK replaces the root logger's handlers and silences every other logger,
    # unless told not to.
    os.environ.setdefault("PICSELLIA_SDK_CUSTOM_LOGGING", "1")  # noqa: TID251 - see above


def _ours(error: Exception) -> PicselliaJupyterError | None:
    """Our error for one of the SDK's, or None where it is nothing a user can mend."""
    import requests.exceptions as http  # noqa: TID251 - what the SDK lets through

    _leave_logging_alone()
    from picsellia import exceptions as sdk

    if isinstance(error, (http.RequestException, sdk.MonitoringConnectionError)):
        return _of_connection(error)
    if not isinstance(error, sdk.PicselliaError):
        return None
    fact, _, remedy = str(error).partition(". Detail: ")
    fact = fact if fact.endswith((".", "!", "?")) else f"{fact}."
    if isinstance(error, sdk.MonitorError):
        return _of_monitoring(fact, remedy)
    kinds: dict[type[Exception], type[PicselliaJupyterError]] = {
        sdk.UnauthorizedError: AuthenticationError,
        sdk.ForbiddenError: AuthenticationError,
        sdk.InsufficientResourcesError: QuotaSpentError,
        sdk.ResourceConflictError: ConflictError,
        sdk.ResourceNotFoundError: NotFoundError,
        sdk.BadRequestError: InvalidInputError,
    }
    return kinds.get(type(error), PlatformError)(fact, remedy)


def _of_connection(error: Exception) -> PicselliaJupyterError:
    """The error of a request that has no answer, or none of the platform's."""
    import requests.exceptions as http  # noqa: TID251 - what the SDK lets through

    if isinstance(error, http.ChunkedEncodingError):
        return PlatformUnreachableError(
            "The platform's answer broke off in the middle.", "Try again; check your network."
        )
    if isinstance(error, http.InvalidJSONError):
        return PlatformUnreachableError(
            "What answered is not the platform: its reply is no JSON.",
            "Check its address, and any proxy on the way.",
        )
    if isinstance(error, http.RequestException) and not isinstance(
        error, (http.ConnectionError, http.Timeout)
    ):
        return PlatformError(f"The platform's storage refused ({type(error).__name__}).", "Retry.")
    url = getattr(getattr(error, "request", None), "url", None)
    where = f" at {urlsplit(url).netloc}" if url else ""
    return PlatformUnreachableError(
        f"The platform{where} does not answer.",
        "Check its address and your network; a local one starts with: "
        "picsellia-jupyter platform start",
    )


def _spent(fact: str, client: object) -> QuotaSpentError:
    """The cloud's HTTP 402; it says no figures, so neither do we."""
    pages = getattr(client, "pages", None)
    where = f"{pages.usage}, or ask" if pages else "Ask"
    return QuotaSpentError(
        f"{fact} Is the quota spent?",
        f"{where} who manages the organization. Monitoring only uses no MPU: "
        "--strategy monitoring --on local.",
    )


def _of_monitoring(fact: str, remedy: str) -> PicselliaJupyterError:
    """The error of a status that the SDK tells in its text alone."""
    if "already been processed" in fact:
        return ConflictError(fact, remedy)
    status = re.search(r"could not handle your (?:shadow )?prediction: (\d+)", fact)
    kind = _MONITORING.get(int(status[1]) if status else 0, PlatformError)
    return kind(fact, remedy)


_MONITORING: Mapping[int, type[PicselliaJupyterError]] = {
    400: InvalidInputError,
    401: AuthenticationError,
    402: QuotaSpentError,
    403: AuthenticationError,
    404: NotFoundError,
    413: InvalidInputError,
    415: InvalidInputError,
    422: InvalidInputError,
}
"""What it says of a prediction itself, and of who sends it; anything else may pass."""
