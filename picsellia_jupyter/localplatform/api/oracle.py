"""The monitoring service but for its busiest route: login, shadow predictions, statistics."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, Field

from picsellia_jupyter.domain.errors import AuthenticationError, InvalidInputError
from picsellia_jupyter.localplatform import supervised
from picsellia_jupyter.localplatform.drifting import compared, spelled
from picsellia_jupyter.localplatform.evaluating import Reviewed, reviewed
from picsellia_jupyter.localplatform.folding import catch_up
from picsellia_jupyter.localplatform.outlying import outlier_log
from picsellia_jupyter.localplatform.overviews import labels, overview
from picsellia_jupyter.localplatform.platform import Here, Monitoring, Platform
from picsellia_jupyter.localplatform.recording import record_shadow
from picsellia_jupyter.localplatform.refusals import ForbiddenError
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.statistics import Selection, prediction_log
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.resources import log_to_json

open_to_all = Router()
"""The login, which checks the token in its body."""
router = Router()
SINGLE_SERVICES = (
    "ae_outlier", "metrics", "object_detection", "classification", "label_distribution"
)  # fmt: skip
AGGREGATED_SERVICES = ("label_distribution", "object_detection", "metrics", "ks_drift")


class Login(BaseModel):
    """Who logs in, and to which deployment."""

    api_token: str = Field(repr=False)
    deployment_id: UUID


class ShadowPrediction(BaseModel):
    """What the shadow model found."""

    shadow_raw_predictions: dict[str, Any]
    shadow_latency: float = Field(ge=0, allow_inf_nan=False)
    model_version_id: UUID | None = None
    """Whose it is; the present shadow's if nobody says, as the SDK does not."""


class Asked(BaseModel):
    """Which statistic, over which predictions."""

    service: str
    model_id: UUID | None = None
    from_timestamp: float | None = Field(default=None, allow_inf_nan=False)
    to_timestamp: float | None = Field(default=None, allow_inf_nan=False)
    since: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Only the last so many seconds."""
    includes: list[str] = []
    excludes: list[str] = []
    tags: list[str] = []

    def selection(self, deployment: Deployment, *, now: float) -> Selection:
        """The predictions that are meant."""
        starts = [self.from_timestamp, None if self.since is None else now - self.since]
        return Selection(
            deployment=deployment,
            since=max((start for start in starts if start is not None), default=None),
            until=self.to_timestamp,
            model_version_id=str(self.model_id) if self.model_id else None,
            includes=tuple(self.includes),
            excludes=tuple(self.excludes),
            tags=tuple(self.tags),
        )


async def _own_deployment(deployment_id: UUID, caller: Monitoring) -> str:
    if caller.deployment_id != str(deployment_id):
        raise ForbiddenError("This token is another deployment's.", "Log in to this one.")
    return caller.deployment_id


OwnDeployment = Annotated[str, Depends(_own_deployment)]


@open_to_all.post("/api/auth/login")
def login(here: Here, body: Login) -> Json:
    """Exchange an API token for the token of one deployment, good for an hour."""
    if here.keyring.user_of(body.api_token) is None:
        raise AuthenticationError("The API token is not accepted.", "Check `api_token`.")
    with here.store.reading() as session:
        deployment = the(session, Deployment, body.deployment_id, kind="deployment")
    token, expires = here.keyring.deployment_token(deployment.id, now=here.clock())
    return {"jwt": token, "expires": expires}


@router.post("/api/prediction/{prediction_id}/shadow", status_code=201)
def monitor_shadow(
    here: Here, caller: Monitoring, prediction_id: UUID, body: ShadowPrediction
) -> Json:
    """Record what the shadow model found in an image the champion has seen."""
    raw, latency = body.shadow_raw_predictions, body.shadow_latency
    version_id = str(body.model_version_id) if body.model_version_id else None
    record_shadow(here, caller.deployment_id, str(prediction_id), raw, latency, version_id)
    return {"id": str(prediction_id)}


@router.get("/api/deployment/{deployment_id}/predictions/stats")
def single_statistic(
    here: Here, deployment_id: OwnDeployment, asked: Annotated[Asked, Query()]
) -> Json:
    """A statistic of single predictions."""
    _refuse_unknown(asked.service, SINGLE_SERVICES)
    if asked.service in supervised.SINGLE_SERVICES:
        return supervised.single(asked.service, _reviewed(here, deployment_id, asked))
    if asked.service not in ("metrics", "ae_outlier"):
        return {"service": asked.service, "predictions": [], **_not_computed(asked.service)}
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        chosen = asked.selection(deployment, now=here.clock())
        if asked.service == "ae_outlier":
            return {"service": asked.service, **outlier_log(here, session, chosen)}
        return log_to_json(prediction_log(session, chosen))


@router.get("/api/deployment/{deployment_id}/stats")
def aggregated_statistic(
    here: Here, deployment_id: OwnDeployment, asked: Annotated[Asked, Query()]
) -> Json:
    """A statistic of many predictions together."""
    _refuse_unknown(asked.service, AGGREGATED_SERVICES)
    if asked.service in supervised.AGGREGATED_SERVICES:
        return supervised.aggregated(asked.service, _reviewed(here, deployment_id, asked))
    if asked.service not in ("metrics", "label_distribution", "ks_drift"):
        return {"service": asked.service, "result": None, **_not_computed(asked.service)}
    return {"service": asked.service, "result": _aggregated(here, deployment_id, asked)}


def _reviewed(here: Platform, deployment_id: str, asked: Asked) -> Reviewed:
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        return reviewed(session, asked.selection(deployment, now=here.clock()))


def _aggregated(here: Platform, deployment_id: str, asked: Asked) -> Json:
    catch_up(here)
    with here.store.reading() as session:
        deployment = the(session, Deployment, deployment_id, kind="deployment")
        chosen = asked.selection(deployment, now=here.clock())
        if asked.service == "ks_drift":
            until = here.clock() if chosen.until is None else chosen.until
            return spelled(compared(session, deployment, since=chosen.since, until=until))
        if asked.service == "metrics":
            return overview(session, chosen)
        return {**labels(session, chosen)}


def _refuse_unknown(service: str, known: tuple[str, ...]) -> None:
    if service not in known:
        raise InvalidInputError(
            f"There is no statistic {service!r}.", f"Known: {', '.join(known)}."
        )


def _not_computed(service: str) -> Json:
    return {"infos": {"info": f"The local platform does not compute {service!r}."}}
