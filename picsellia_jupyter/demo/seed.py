"""Register the demo models in a platform's Private Model Registry."""

from __future__ import annotations

from picsellia_jupyter.demo.catalog import MODELS, DemoModel
from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.domain.training import NOTEBOOK
from picsellia_jupyter.session import Session


def seed(session: Session) -> tuple[str, ...]:
    """Register each demo model that is not there yet, with its files and training context.

    One that is there from an earlier version of the demo is given the training notebook it lacks.

    A cloud takes the training context from an experiment alone, so it is left out there.

    Returns:
        The names of those that were added; calling it again adds none.
    """
    platform = session.platform
    known = {model.name: model for model in platform.models()}
    added = []
    for demo in MODELS:
        model = known.get(demo.name)
        versions = platform.versions(model) if model is not None else []
        if versions:
            _complete(session, demo, versions[0])
            continue
        _register(session, demo)
        added.append(demo.name)
    return tuple(added)


def _complete(session: Session, demo: DemoModel, version: ModelVersion) -> None:
    notebook = demo.files.get(NOTEBOOK)
    if notebook is None or version.version != 0:
        return
    if NOTEBOOK not in [file.name for file in session.platform.files(version)]:
        session.platform.store_file(version, NOTEBOOK, notebook)


def _register(session: Session, demo: DemoModel) -> None:
    platform = session.platform
    model = next((m for m in platform.models() if m.name == demo.name), None)
    version = platform.create_version(
        model or platform.create_model(demo.name, demo.description),
        kind=demo.type,
        framework=demo.framework,
        labels=demo.labels,
        description=demo.description,
        parameters=demo.training_parameters,
    )
    for name, path in demo.files.items():
        platform.store_file(version, name, path)
    if platform.is_local:
        platform.set_context(
            version,
            repartitions={"train": demo.repartition},
            parameters=demo.training_parameters,
        )
