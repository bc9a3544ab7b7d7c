"""What sets training off beside reviews: alerts that fire, and schedules.

Each is looked at again and again while the platform runs. An alert's episode and a schedule's
turn have names, and a name has one run: whoever looks twice, or is killed meanwhile, sets off one.
"""

from __future__ import annotations

import math

from sqlalchemy import select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.training import Cause
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.tables.alerts import Alert, FiredAlert
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.pipelines import Pipeline
from picsellia_jupyter.localplatform.tables.training import TrainingRun, TrainingTrigger
from picsellia_jupyter.localplatform.training import active_run, begin, last_begun, run_of


def pull_triggers(here: Platform) -> int:
    """Set off what is due.

    Returns:
        How many runs.
    """
    now = here.clock()
    with here.store.reading() as session:
        due = [
            one.id for one in session.scalars(select(TrainingTrigger)) if _turn(session, one, now)
        ]
    begun = 0
    for ident in due:
        with here.store.writing() as session:
            trigger = session.get(TrainingTrigger, ident)
            begun += trigger is not None and pull(session, trigger, now=now) is not None
    return begun


def pull(session: Session, trigger: TrainingTrigger, *, now: float) -> TrainingRun | None:
    """Set training off if it is a trigger's turn."""
    turn = _turn(session, trigger, now)
    if turn is None:
        return None
    episode, cause, said = turn
    deployment = session.get_one(Deployment, trigger.deployment_id)
    return begin(session, deployment, cause, episode=episode, said=said, now=now)


def _turn(session: Session, trigger: TrainingTrigger, now: float) -> tuple[str, Cause, str] | None:
    """The episode that is to set off a run, why, and in words; None where none is."""
    loop = session.scalars(select(Pipeline).filter_by(deployment_id=trigger.deployment_id)).first()
    if loop is None or not loop.training_active or loop.training_settings is None:
        return None
    last = last_begun(session, trigger.deployment_id)
    is_resting = last is not None and now - last < trigger.cooldown_s
    if is_resting or active_run(session, trigger.deployment_id) is not None:
        return None
    found = _scheduled(trigger, now) if trigger.every_s else _fired(session, trigger)
    if found is None or run_of(session, trigger.deployment_id, found[0]) is not None:
        return None
    return found


def _scheduled(trigger: TrainingTrigger, now: float) -> tuple[str, Cause, str] | None:
    # Turns that were missed while nothing ran are one: the latest.
    turn = math.floor((now - trigger.created_at) / (trigger.every_s or math.inf))
    if turn < 1:
        return None
    said = f"It is scheduled every {in_words(trigger.every_s or 0.0)}."
    return f"schedule:{trigger.id}:{turn}", Cause.SCHEDULE, said


def _fired(session: Session, trigger: TrainingTrigger) -> tuple[str, Cause, str] | None:
    """The episode of an alert that goes on now."""
    query = select(FiredAlert).filter_by(alert_id=trigger.alert_id, ended_at=None)
    fired = session.scalars(query.order_by(FiredAlert.created_at.desc()).limit(1)).first()
    if fired is None or fired.created_at < trigger.created_at:
        return None
    alert = session.get_one(Alert, fired.alert_id)
    said = f"The alert {alert.name!r} fired: {alert.metric} is {fired.value:g}."
    return f"alert:{fired.id}", Cause.ALERT, said


def in_words(seconds: float) -> str:
    """How long a turn of a schedule is: `7 days`."""
    for unit, length in (("day", 86_400.0), ("hour", 3_600.0), ("minute", 60.0)):
        if seconds >= length:
            number = seconds / length
            return f"{number:g} {unit}{'' if number == 1 else 's'}"
    return f"{seconds:g} seconds"
