"""What a runner is given: an experiment of its own, data by name, parameters, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from picsellia_jupyter.domain.errors import ConflictError, PicselliaJupyterError
from picsellia_jupyter.domain.training import HELD_OUT_NAMES, LIMITS_KEY, NOTEBOOK_KEY, RunState
from picsellia_jupyter.localplatform import continuous_deployment
from picsellia_jupyter.localplatform.experiments import PARAMETERS, log_named, publish
from picsellia_jupyter.localplatform.store import the
from picsellia_jupyter.localplatform.tables.datasets import DatasetVersion
from picsellia_jupyter.localplatform.tables.deployments import Deployment
from picsellia_jupyter.localplatform.tables.pipelines import PipelineDataset
from picsellia_jupyter.localplatform.tables.projects import (
    Experiment,
    ExperimentDataset,
    ExperimentLog,
    Project,
)
from picsellia_jupyter.localplatform.tables.registry import ModelVersion
from picsellia_jupyter.localplatform.tables.training import TrainingRun
from picsellia_jupyter.localplatform.training import end, settings_of
from picsellia_jupyter.wire.evaluation import comparison_from_json

_TRAINING, _FEEDBACK = "CONTINUOUS_TRAINING", "FEEDBACK_LOOP"


@dataclass(frozen=True, slots=True)
class HeldOutData:
    """The data that versions are compared on."""

    version: DatasetVersion
    name: str
    """What training calls it."""

    @property
    def title(self) -> str:
        """`digits/held-out`."""
        return title_of(self.version)


def furnish(session: Session, run: TrainingRun, *, now: float) -> Experiment:
    """The experiment of a run, made with its data and parameters when it is first taken up.

    Raises:
        UnknownIdError: the project or the version it begins with is deleted.
        ConflictError: no dataset version is attached.
    """
    known = session.get(Experiment, run.experiment_id or "")
    if known is not None:
        known.status = RunState.RUNNING.value
        # The curves of an earlier try would be gone on with.
        session.execute(delete(ExperimentLog).filter_by(experiment_id=known.id, type="LINE"))
        return known
    project = the(session, Project, run.settings["project_id"], kind="project")
    base = the(session, ModelVersion, run.base_version_id, kind="model version")
    deployment = session.get_one(Deployment, run.deployment_id)
    attached = attached_to(session, run.deployment_id)
    if not attached:
        raise ConflictError(
            f"Continuous training of {deployment.name!r} has no data.",
            "Attach a dataset version: "
            "deployment.attach_dataset_version_to_continuous_training('train', version)",
        )
    made = Experiment(
        project_id=project.id,
        name=_free_name(session, project.id, deployment.name),
        description=f"Continuous training of {deployment.name}. {run.said}",
        status=RunState.RUNNING.value,
        base_model_version_id=base.id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    for name, version in attached.items():
        session.add(
            ExperimentDataset(
                experiment_id=made.id, dataset_version_id=version.id, name=name, created_at=now
            )
        )
    log_named(session, made.id, PARAMETERS, "TABLE", handed_on(run), now=now)
    run.experiment_id = made.id
    session.flush()
    return made


def handed_on(run: TrainingRun) -> dict[str, Any]:
    """The parameters that the notebook is given."""
    own = (NOTEBOOK_KEY, LIMITS_KEY)
    return {name: value for name, value in settings_of(run).items() if name not in own}


def attached_to(session: Session, deployment_id: str) -> dict[str, DatasetVersion]:
    """Dataset versions that training uses, by the names it has for them."""
    query = select(PipelineDataset).filter_by(deployment_id=deployment_id, role=_TRAINING)
    rows = session.scalars(query.order_by(PipelineDataset.created_at)).all()
    return {
        row.name or "train": session.get_one(DatasetVersion, row.dataset_version_id) for row in rows
    }


def data_of(session: Session, run: TrainingRun) -> Mapping[str, DatasetVersion]:
    """Dataset versions of a run's experiment, by their names there."""
    rows = session.scalars(select(ExperimentDataset).filter_by(experiment_id=run.experiment_id))
    return {row.name: session.get_one(DatasetVersion, row.dataset_version_id) for row in rows}


def held_out_of(session: Session, run: TrainingRun) -> HeldOutData | None:
    """The data a run's version is compared on; None where none is attached for that.

    Raises:
        ConflictError: submitted reviews go into it, so it is not held out.
    """
    attached = data_of(session, run)
    name = next((one for one in HELD_OUT_NAMES if one in attached), None)
    if name is None:
        return None
    version = attached[name]
    fed = select(PipelineDataset.id).filter_by(
        deployment_id=run.deployment_id, role=_FEEDBACK, dataset_version_id=version.id
    )
    if session.scalars(fed).first() is not None:
        raise ConflictError(
            f"Submitted reviews go into {title_of(version)}, so it holds nothing out.",
            "Attach another dataset version as 'eval', and lock it.",
        )
    return HeldOutData(version, name)


def others_than(session: Session, run: TrainingRun, held_out: HeldOutData) -> list[str]:
    """Ids of the dataset versions of a run that are trained on."""
    attached = data_of(session, run)
    return [
        one.id
        for name, one in attached.items()
        if one.id != held_out.version.id and name not in HELD_OUT_NAMES
    ]


def export(session: Session, run: TrainingRun, *, now: float) -> ModelVersion:
    """Make the next version of the model of a run's experiment, once."""
    known = session.get(ModelVersion, run.version_id or "")
    if known is not None:
        return known
    experiment = the(session, Experiment, run.experiment_id, kind="experiment")
    base = the(session, ModelVersion, run.base_version_id, kind="model version")
    version = publish(session, experiment, base.model, now=now)
    run.version_id = version.id
    session.flush()
    return version


def finish(
    session: Session, run: TrainingRun, state: RunState, *, error: str = "", now: float
) -> None:
    """End a run with its experiment; a version that came of it goes to continuous deployment."""
    experiment = session.get(Experiment, run.experiment_id or "")
    if experiment is not None:
        experiment.status = state.value
    if state is RunState.SUCCESS and run.version_id is not None:
        try:
            _hand_on(session, run, run.version_id, now)
        except PicselliaJupyterError as refusal:
            # The version is there all the same; a person may take it.
            error = str(refusal)
    end(session, run, state, error=error, now=now)


def _hand_on(session: Session, run: TrainingRun, version_id: str, now: float) -> None:
    told = (run.held_out or {}).get("comparison")
    continuous_deployment.trained(
        session,
        run.deployment_id,
        version_id,
        run.id,
        now=now,
        held_out=comparison_from_json(told) if told else None,
    )


def title_of(version: DatasetVersion) -> str:
    """A dataset version as one would name it."""
    return f"{version.dataset.name}/{version.version}"


def _free_name(session: Session, project_id: str, prefix: str) -> str:
    taken = set(session.scalars(select(Experiment.name).filter_by(project_id=project_id)))
    number = session.scalar(select(func.count()).select_from(Experiment)) or 0
    names = (f"{prefix}-{n}" for n in range(1, number + 2))
    return next(name for name in names if name not in taken)
