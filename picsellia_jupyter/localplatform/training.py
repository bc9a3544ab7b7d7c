"""Training runs: set off once each, taken up by one runner at a time, ended once.

All of it happens in transactions of the one writer. A run is a row that waits; a runner *claims*
it with a name of its own and says every few seconds that it lives. Once it is silent for
`LEASE_S` the run is anybody's again, and what the first one says from then on is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError
from picsellia_jupyter.domain.training import Cause, RunState
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline
from picsellia_jupyter.localplatform.tables.training import TrainingRun

WAITING, RUNNING = RunState.WAITING.value, RunState.RUNNING.value
LEASE_S = 15.0
"""Seconds of silence after which a runner counts as gone."""
ATTEMPTS = 3
"""Runners that are tried before a run counts as failed."""
UNCLAIMED_S = 300.0
"""Seconds after which nobody comes for a run that a kernel elsewhere was to do."""
_ACTIVE = (WAITING, RUNNING)


# Setting off ---------------------------------------------------------------------------------


def loop_of(session: Session, deployment_id: str, *, now: float) -> Pipeline:
    """The settings of a deployment's loop, made where there are none."""
    row = session.scalars(select(Pipeline).filter_by(deployment_id=deployment_id)).first()
    if row is None:
        row = Pipeline(deployment_id=deployment_id, created_at=now)
        session.add(row)
        session.flush()
    return row


def count_submitted(
    session: Session, deployment: Deployment, submitted: int, *, now: float
) -> TrainingRun | None:
    """Count reviews in the transaction that makes them final; set training off if it is time."""
    loop = loop_of(session, deployment.id, now=now)
    loop.submitted_reviews += submitted
    return decide(session, deployment, now=now)


def decide(session: Session, deployment: Deployment, *, now: float) -> TrainingRun | None:
    """Set training off if enough reviews were submitted since the last time.

    While a run waits or goes on none is set off; reviews go on counting, and it is decided again
    when that run ends.
    """
    loop = loop_of(session, deployment.id, now=now)
    settings = loop.training_settings or {}
    threshold = settings.get("threshold")
    if not loop.training_active or settings.get("trigger") != "FEEDBACK_LOOP" or not threshold:
        return None
    untrained = loop.submitted_reviews - loop.trained_reviews
    if untrained < threshold or active_run(session, deployment.id) is not None:
        return None
    return begin(
        session,
        deployment,
        Cause.REVIEWS,
        # The same for all who decide after the same reviews.
        episode=f"reviews:{loop.trained_reviews}",
        said=f"{untrained:,} reviews were submitted since the last run; {threshold:,} set it off.",
        now=now,
    )


def begin(
    session: Session,
    deployment: Deployment,
    cause: Cause,
    *,
    episode: str,
    said: str,
    now: float,
    place: str = "",
) -> TrainingRun:
    """Have a run wait for a runner; of a place where one is named, else of this platform.

    Raises:
        ConflictError: continuous training is not set up, a run is under way, or this episode has
            had its run.
    """
    loop = loop_of(session, deployment.id, now=now)
    if loop.training_settings is None:
        raise ConflictError(
            f"Continuous training of {deployment.name!r} is not set up.",
            "Set it up: deployment.setup_continuous_training(project, …).",
        )
    under_way = active_run(session, deployment.id)
    if under_way is not None:
        raise ConflictError(
            f"A training run of {deployment.name!r} is under way ({under_way.state}).",
            "Wait for it, or cancel it: deployment.training.runs[0].cancel()",
        )
    if run_of(session, deployment.id, episode) is not None:
        raise ConflictError(
            f"What sets off the training run {episode!r} has had its training run.",
            "Look at deployment.training.runs.",
        )
    run = TrainingRun(
        deployment_id=deployment.id,
        episode=episode,
        cause=cause.value,
        said=said,
        settings=dict(loop.training_settings),
        base_version_id=deployment.model_version_id,
        place=place,
        created_at=now,
    )
    session.add(run)
    # Whatever sets it off, it trains on all that is there.
    loop.trained_reviews = loop.submitted_reviews
    session.flush()
    return run


def retry(session: Session, run: TrainingRun, *, now: float, place: str = "") -> TrainingRun:
    """Have a run that did not go well done again, with the settings of today; once.

    Raises:
        ConflictError: it is not over, went well, or was tried again already.
    """
    if run.state not in (RunState.FAILED.value, RunState.CANCELED.value):
        raise ConflictError(
            f"The training run is {run.state}; only one that failed or was cancelled is retried.",
            "Begin another one: deployment.training.start()",
        )
    deployment = session.get_one(Deployment, run.deployment_id)
    said = f"Another try of the run of {run.cause} that was {run.state.lower()}."
    return begin(
        session, deployment, Cause.RETRY,
        episode=f"retry:{run.id}", said=said, now=now, place=place,
    )  # fmt: skip


def active_run(session: Session, deployment_id: str) -> TrainingRun | None:
    """The run of a deployment that waits or goes on."""
    query = select(TrainingRun).filter_by(deployment_id=deployment_id)
    return session.scalars(query.where(TrainingRun.state.in_(_ACTIVE))).first()


def run_of(session: Session, deployment_id: str, episode: str) -> TrainingRun | None:
    """The run that an episode has set off."""
    same = {"deployment_id": deployment_id, "episode": episode}
    return session.scalars(select(TrainingRun).filter_by(**same)).first()


def last_begun(session: Session, deployment_id: str) -> float | None:
    """When the newest run of a deployment was set off."""
    query = select(func.max(TrainingRun.created_at)).filter_by(deployment_id=deployment_id)
    return session.scalar(query)


# Running -------------------------------------------------------------------------------------


def claim(session: Session, run_id: object, runner: str, *, now: float) -> TrainingRun:
    """Give a waiting run to a runner.

    Raises:
        ConflictError: it does not wait, or another one has it.
    """
    run = the(session, TrainingRun, run_id, kind="training run")
    if run.state == RUNNING and run.runner == runner:
        return run
    if run.state != WAITING:
        raise ConflictError(
            f"The training run is {run.state}, another runner has it.", "Leave it to that one."
        )
    run.state, run.runner, run.attempt = RUNNING, runner, run.attempt + 1
    run.beat_at, run.error, run.progress = now, "", 0.0
    run.started_at = run.started_at or now
    session.flush()
    return run


def held(session: Session, run_id: object, runner: str) -> TrainingRun:
    """The run of a runner that still has it.

    Raises:
        ConflictError: it is not its any more.
    """
    run = the(session, TrainingRun, run_id, kind="training run")
    if run.state != RUNNING or run.runner != runner:
        raise ConflictError(
            f"The training run is {run.state} and not this runner's any more.", "End at once."
        )
    return run


def beat(
    session: Session, run_id: object, runner: str, *, progress: float, step: str, now: float
) -> TrainingRun:
    """Note that a runner lives and how far it is.

    Raises:
        ConflictError: the run is not its any more.
    """
    run = held(session, run_id, runner)
    run.beat_at, run.progress, run.step = now, progress, step
    return run


def end(
    session: Session, run: TrainingRun, state: RunState, *, error: str = "", now: float
) -> None:
    """Note how a run ended; what was reviewed meanwhile may set off the next one."""
    run.state, run.error, run.ended_at, run.runner = state.value, error, now, ""
    run.step = ""
    if state is RunState.SUCCESS:
        run.progress = 1.0
    session.flush()
    decide(session, session.get_one(Deployment, run.deployment_id), now=now)


def cancel(session: Session, run_id: object, *, now: float) -> TrainingRun:
    """Ask for the end of a run; one that waits has ended at once.

    Raises:
        ConflictError: it is over.
    """
    run = the(session, TrainingRun, run_id, kind="training run")
    if run.state not in _ACTIVE:
        raise ConflictError(
            f"The training run is over: {run.state}.", "There is nothing to cancel."
        )
    run.is_cancelled = True
    if run.state == WAITING:
        end(session, run, RunState.CANCELED, now=now)
    return run


def take_back(session: Session, *, now: float, awake_since: float) -> list[TrainingRun]:
    """Take runs from our runners that are gone: they wait again, or have failed at last.

    Args:
        session: a writing transaction.
        now: seconds since the epoch.
        awake_since: when this platform began: before, nobody could tell it anything.
    """
    lost = _lost(session, now, awake_since)
    for run in lost:
        _take_back(session, run, now)
    return lost


def is_lost(session: Session, *, now: float, awake_since: float) -> bool:
    """Whether there is a run to take back."""
    return bool(_lost(session, now, awake_since))


def _lost(session: Session, now: float, awake_since: float) -> list[TrainingRun]:
    return [
        run
        for run in session.scalars(select(TrainingRun).filter_by(state=RUNNING, place=""))
        if _is_silent(run, now, awake_since)
    ]


def _is_silent(run: TrainingRun, now: float, awake_since: float) -> bool:
    return now - max(run.beat_at or 0.0, awake_since) > LEASE_S


def given_up(session: Session, *, now: float, awake_since: float) -> list[tuple[TrainingRun, str]]:
    """Runs of places that nobody there does any more, and why; this platform restarts none."""
    query = select(TrainingRun).where(TrainingRun.place != "", TrainingRun.state.in_(_ACTIVE))
    told = ((run, _abandoned(run, now, awake_since)) for run in session.scalars(query))
    return [(run, why) for run, why in told if why]


def _abandoned(run: TrainingRun, now: float, awake_since: float) -> str:
    """Why it is given up; empty where it is not."""
    if run.state == RUNNING:
        silent = _is_silent(run, now, awake_since)
        return f"The kernel that trained at {run.place} ended without a word." if silent else ""
    is_late = now - max(run.created_at, awake_since) > UNCLAIMED_S
    minutes = f"{UNCLAIMED_S / 60:g} minutes"
    return f"No kernel at {run.place} took the run up within {minutes}." if is_late else ""


def _take_back(session: Session, run: TrainingRun, now: float) -> None:
    if run.is_cancelled:
        end(session, run, RunState.CANCELED, now=now)
    elif run.attempt < ATTEMPTS:
        run.state, run.runner, run.beat_at = WAITING, "", None
        run.step = f"Its runner ended without a word; try {run.attempt + 1} of {ATTEMPTS}."
    else:
        said = f"{run.attempt} runners in a row ended without a word."
        end(session, run, RunState.FAILED, error=said, now=now)


def settings_of(run: TrainingRun) -> Mapping[str, Any]:
    """The parameters that a run was set off with."""
    parameters: Mapping[str, Any] = run.settings.get("experiment_parameters") or {}
    return parameters
