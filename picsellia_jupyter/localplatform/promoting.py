"""Which version is champion and which one shadow: changed here alone, and written down.

All of it happens in transactions of the one writer, so a deployment has one champion at any
moment. The platform says which one is wanted; the serving kernel follows and says in its
heartbeats what it serves, or why it could not, upon which the champion before is wanted again.
"""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.deployments import Heartbeat
from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.domain.promotion import Cause, Role, RolloutState
from picsellia_jupyter.localplatform.labels import add_labels
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.localplatform.tables.rollouts import Rollout

ASKED, SERVED = RolloutState.ASKED.value, RolloutState.SERVED.value
CHAMPION = Role.CHAMPION.value


def fitting(session: Session, row: Deployment, version_id: object) -> ModelVersion:
    """A version that can take a place in a deployment, which then has its labels.

    Raises:
        UnknownIdError: there is none.
        InvalidInputError: it predicts another type.
    """
    version = the(session, ModelVersion, version_id, kind="model version")
    if version.type != row.type:
        raise InvalidInputError(
            f"The deployment predicts {row.type}, {title_of(version)} predicts {version.type}.",
            "Choose a version of the same type.",
        )
    add_labels(session, row.id, version)
    return version


def make_champion(
    session: Session,
    row: Deployment,
    version: ModelVersion,
    *,
    cause: Cause,
    now: float,
    keep_as_shadow: bool = False,
    forced: bool = False,
    said: str = "",
) -> Rollout | None:
    """Want another version as champion; None where it is already.

    Args:
        session: a writing transaction.
        row: of the deployment.
        version: what `fitting` gave.
        cause: who wants it.
        now: seconds since the epoch, UTC.
        keep_as_shadow: have the champion before predict in its shadow.
        forced: a person overrode the gate.
        said: what the gate said.
    """
    if row.model_version_id == version.id:
        return None
    asked = _asked(session, row.id)
    before, shadow = row.model_version_id, row.shadow_model_version_id
    if asked is not None:
        # Nobody has served that one yet: should this one fail, the last that was served stays.
        asked.state = RolloutState.SUPERSEDED.value
        before, shadow = asked.previous_version_id, asked.previous_shadow_id or None
    made = _rollout(session, row, version, Role.CHAMPION, cause, now)
    made.state, made.forced, made.said = ASKED, forced, said
    made.previous_version_id, made.previous_shadow_id = before, shadow or ""
    made.previous_title = _title(session, before)
    if keep_as_shadow:
        row.shadow_model_version_id = row.model_version_id
    elif row.shadow_model_version_id == version.id:
        row.shadow_model_version_id = None
    row.model_version_id = version.id
    session.flush()
    return made


def make_shadow(
    session: Session, row: Deployment, version: ModelVersion, *, cause: Cause, now: float
) -> Rollout:
    """Have a version predict in the champion's shadow."""
    made = _rollout(session, row, version, Role.SHADOW, cause, now)
    if row.shadow_model_version_id:
        made.previous_version_id = row.shadow_model_version_id
        made.previous_title = _title(session, row.shadow_model_version_id)
    row.shadow_model_version_id = version.id
    session.flush()
    return made


def offer(session: Session, row: Deployment, version: ModelVersion, *, now: float) -> Rollout:
    """Note that a version is ready and waits for a person."""
    return _rollout(session, row, version, Role.OFFER, Cause.POLICY, now)


def roll_back(session: Session, row: Deployment, *, now: float) -> Rollout:
    """Want the champion before as champion again.

    Raises:
        ConflictError: there was none, or it is deleted.
    """
    last = last_promotion(session, row.id)
    if last is None:
        raise ConflictError(
            f"{row.name!r} has had no other champion.", "Name a version: %promote NAME VERSION"
        )
    before = session.get(ModelVersion, last.previous_version_id)
    if before is None:
        raise ConflictError(
            f"The champion before, {last.previous_title}, is deleted.",
            "Name another version: %promote NAME VERSION",
        )
    made = make_champion(session, row, before, cause=Cause.ROLLBACK, now=now)
    if made is None:
        raise ConflictError(f"{title_of(before)} is the champion already.", "Nothing to undo.")
    return made


def hear(session: Session, row: Deployment, beat: Heartbeat) -> None:
    """Take down what a serving kernel says of the champion that it was to go over to."""
    asked = _asked(session, row.id)
    if asked is None or asked.version_id != row.model_version_id:
        return
    if beat.kernel.model_version_id == asked.version_id:
        asked.state = SERVED
    elif beat.failed is not None and beat.failed.version_id == asked.version_id:
        asked.state = RolloutState.FAILED.value
        asked.said = beat.failed.why
        row.model_version_id = asked.previous_version_id
        row.shadow_model_version_id = asked.previous_shadow_id or None


def last_promotion(session: Session, deployment_id: str) -> Rollout | None:
    """The newest change of the champion that was not undone."""
    query = select(Rollout).where(
        Rollout.deployment_id == deployment_id,
        Rollout.role == CHAMPION,
        Rollout.state.in_((ASKED, SERVED)),
    )
    return session.scalars(query.order_by(Rollout.number.desc()).limit(1)).first()


def title_of(version: ModelVersion) -> str:
    """A version as one would type it."""
    return f"{version.model.name}:{version.version}"


def _asked(session: Session, deployment_id: str) -> Rollout | None:
    same = {"deployment_id": deployment_id, "state": ASKED, "role": CHAMPION}
    return session.scalars(select(Rollout).filter_by(**same)).first()


def _title(session: Session, version_id: str) -> str:
    found = session.get(ModelVersion, version_id)
    return title_of(found) if found else ""


def _rollout(
    session: Session, row: Deployment, version: ModelVersion, role: Role, cause: Cause, now: float
) -> Rollout:
    numbers = select(func.max(Rollout.number)).filter_by(deployment_id=row.id)
    made = Rollout(
        deployment_id=row.id,
        number=(session.scalar(numbers) or 0) + 1,
        version_id=version.id,
        title=title_of(version),
        role=role.value,
        cause=cause.value,
        state=SERVED,
        created_at=now,
    )
    session.add(made)
    return made
