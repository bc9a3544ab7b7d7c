"""Register the demo models in a platform's Private Model Registry."""

from __future__ import annotations

from picsellia_jupyter.demo.catalog import MODELS, DemoModel
from picsellia_jupyter.session import Session


def seed(session: Session) -> tuple[str, ...]:
    """Register each demo model that is not there yet, with its files and training context.

    A cloud takes the training context from an experiment alone, so it is left out there.

    Returns:
        The names of those that were added; calling it again adds none.
    """
    platform = session.platform
    known = {model.name: model for model in platform.models()}
    added = []
    for demo in MODELS:
        model = known.get(demo.name)
        if model is not None and platform.versions(model):
            continue
        _register(session, demo)
        added.append(demo.name)
    return tuple(added)


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
