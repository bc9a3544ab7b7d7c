"""Find what a user named, or suggest the nearest name."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.domain.ports import Datalakes, Deployments, Registry
from picsellia_jupyter.domain.registry import Datalake, Model, ModelReference, ModelVersion


def find_model_version(registry: Registry, reference: ModelReference) -> ModelVersion:
    """The model version a user asked for; its newest where none is named.

    Raises:
        NotFoundError: there is no such model, or it has no such version.
    """
    versions = registry.versions(_find_model(registry, reference.model))
    if not versions:
        raise NotFoundError(
            f"The model {reference.model!r} has no version yet.",
            "Make one, with its type and labels: model.create_version(type=…, labels={'0': …})",
        )
    if reference.version is None:
        return versions[-1]
    for version in versions:
        if reference.version in (str(version.version), version.name):
            return version
    known = [str(version.version) for version in versions]
    raise NotFoundError.named(f"version of {reference.model!r}", reference.version, known)


def find_datalake(datalakes: Datalakes, name: str | None) -> Datalake:
    """The datalake of a name; the organization's default one where none is named.

    Raises:
        NotFoundError: there is none of that name.
    """
    lakes = datalakes.datalakes()
    if name is None:
        return lakes[0]
    for lake in lakes:
        if lake.name == name:
            return lake
    raise NotFoundError.named("datalake", name, [lake.name for lake in lakes])


def find_deployment(deployments: Deployments, name: str) -> DeploymentRecord:
    """The deployment of a name, or of an id.

    Raises:
        NotFoundError: there is none.
    """
    record = deployments.find_deployment(name)
    if record is not None:
        return record
    raise NotFoundError.named(
        "deployment", name, [record.name for record in deployments.deployments()]
    )


def only_deployment(records: Sequence[DeploymentRecord], *, verb: str) -> DeploymentRecord:
    """The deployment meant where none is named: the newest one.

    Raises:
        NotFoundError: there is none at all.
        InvalidInputError: there are several, and the platform does not say when they were made.
    """
    if not records:
        raise NotFoundError(
            f"There is no deployment to {verb} yet.", "Make one with: %deploy MODEL"
        )
    if len(records) > 1 and records[0].created_at is None:
        names = ", ".join(record.name for record in records[:5])
        raise InvalidInputError(
            f"There are {len(records)} deployments, and the platform does not say which is new.",
            f"Name the one to {verb}: {names}{' …' if len(records) > 5 else ''}",
        )
    return records[0]


def _find_model(registry: Registry, name: str) -> Model:
    models = registry.models()
    for model in models:
        if model.name == name:
            return model
    remedy = (
        ""
        if models
        else ("Fill the registry with: picsellia-jupyter demo seed (of a cloud: --host ADDRESS)")
    )
    raise NotFoundError.named("model", name, [model.name for model in models], remedy=remedy)
