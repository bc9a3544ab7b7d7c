"""What the local platform does beyond the SDK's API: heartbeats and its own status."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field, field_validator
from sqlalchemy import func, select

from picsellia_jupyter.domain.deployments import Heartbeat, ServingState
from picsellia_jupyter.domain.errors import ConflictError
from picsellia_jupyter.localplatform.answering import take_down
from picsellia_jupyter.localplatform.api.described import REFUSALS
from picsellia_jupyter.localplatform.metering import Ledger
from picsellia_jupyter.localplatform.platform import Here, NeedsUser
from picsellia_jupyter.localplatform.promoting import hear
from picsellia_jupyter.localplatform.routing import Router
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datalakes import Datalake
from picsellia_jupyter.localplatform.tables.deployments import Deployment, Prediction
from picsellia_jupyter.localplatform.tables.registry import Model
from picsellia_jupyter.wire.resources import heartbeat_from_json, heartbeat_to_json

HEARTBEAT_INTERVAL_S = 2.0

router = Router(dependencies=[NeedsUser], responses=REFUSALS, tags=["platform"])
open_to_all = Router()
"""The one route that needs no token; it says nothing but that somebody is there."""


class KernelBody(BaseModel):
    """A serving kernel, as it describes itself."""

    kernel_id: str
    address: str
    place: str
    pid: int | None = None
    model_version_id: str = ""
    shadow_version_id: str = ""

    @field_validator("address")
    @classmethod
    def _is_origin(cls, address: str) -> str:
        if not address.startswith(("http://", "https://")) or address.count("/") != 2:
            raise ValueError("an address is like http://127.0.0.1:8765")
        return address


class AnswersBody(BaseModel):
    """What a front has counted since it began."""

    counter: str = Field(min_length=1, max_length=64)
    answered: int = Field(ge=0, lt=2**62)
    failed: int = Field(ge=0, lt=2**62)


class FailedBody(BaseModel):
    """A champion that a serving kernel could not go over to."""

    version_id: str
    why: str


class HeartbeatBody(BaseModel):
    """What a serving kernel says every few seconds."""

    state: ServingState
    reason: str = ""
    kernel: KernelBody
    claim: bool = False
    answers: AnswersBody | None = None
    failed: FailedBody | None = None

    def value(self) -> Heartbeat:
        """The heartbeat it spells."""
        return heartbeat_from_json(self.model_dump(mode="json"))


class HeartbeatReply(BaseModel):
    """What a serving kernel needs to know now."""

    min_threshold: float | None
    interval_s: float
    """Seconds until the next heartbeat is expected."""
    model_version_id: UUID
    """The model version that is to predict."""
    shadow_model_version_id: UUID | None = None
    """The model version that is to predict in the champion's shadow."""
    paused: str = ""
    """Why it must not predict now; empty where it may."""


class Counts(BaseModel):
    """How much of everything there is."""

    models: int
    deployments: int
    predictions: int
    datalakes: int


class StatusReply(BaseModel):
    """What runs here, and how much it holds."""

    version: str
    pid: int
    home: str
    started_at: float
    counts: Counts


@open_to_all.get("/health")
async def health() -> dict[str, Any]:
    """Whether anybody is there."""
    return {"live": True}


@router.post("/api/local/deployments/{deployment_id}/heartbeat")
def heartbeat(here: Here, deployment_id: UUID, body: HeartbeatBody) -> HeartbeatReply:
    """Take down how a serving kernel is; tell it what holds now.

    Only one kernel serves a deployment: the last that claimed it, or else the first that spoke.
    With Picsellia Serving the time since its last heartbeat is charged; 402 where a kernel that
    claims it has nothing left to begin with.
    """
    said = body.value()
    beat = heartbeat_to_json(said)
    with here.store.writing() as session:
        row = the(session, Deployment, deployment_id, kind="deployment")
        if not beat["claim"]:
            _refuse_other_kernel(row, beat["kernel"]["kernel_id"])
        paused = Ledger(here, session).beat(
            row, beat["kernel"]["kernel_id"], beat["state"], claims=beat["claim"]
        )
        row.serving_state = beat["state"]
        row.serving_reason = beat["reason"]
        row.serving_kernel = beat["kernel"]
        row.serving_reported_at = here.clock()
        if said.answers is not None:
            take_down(session, row.id, said.answers, now=here.clock())
        hear(session, row, said)
        shadow = row.shadow_model_version_id
        return HeartbeatReply(
            min_threshold=row.min_threshold,
            model_version_id=UUID(row.model_version_id),
            interval_s=HEARTBEAT_INTERVAL_S,
            shadow_model_version_id=UUID(shadow) if shadow else None,
            paused=paused,
        )


@router.get("/api/local/status")
def status(here: Here) -> StatusReply:
    """What runs here, and how much it holds."""
    counted = {
        "models": Model,
        "deployments": Deployment,
        "predictions": Prediction,
        "datalakes": Datalake,
    }
    with here.store.reading() as session:
        counts = {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in counted.items()
        }
    return StatusReply(
        version=here.version,
        pid=here.pid,
        home=str(here.home),
        started_at=here.started_at,
        counts=Counts(**counts),
    )


def _refuse_other_kernel(row: Deployment, kernel_id: str) -> None:
    # Silence is no farewell: a kernel that was only paused must still find its deployment.
    known = row.serving_kernel
    if known is None or row.serving_state == ServingState.STOPPED.value:
        return
    if known["kernel_id"] != kernel_id:
        raise ConflictError(
            f"The deployment {row.name!r} is served by another serving kernel.",
            f"Stop that one, {known['kernel_id']} at {known['address']}, or claim the deployment.",
        )
