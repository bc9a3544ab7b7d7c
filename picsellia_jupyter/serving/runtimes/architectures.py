"""Networks that weights can be loaded into, registered by installed packages.

A package registers its own in its pyproject.toml, and the serving.json beside the weights names it:

    [project.entry-points."picsellia_jupyter.architectures"]
    small-cnn = "mypackage.networks:SmallCnn"

Always registered is `{"name": "torchvision", "model": "resnet18", "num_classes": 3}`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from picsellia_jupyter.domain.errors import ModelLoadError, NotFoundError
from picsellia_jupyter.serving.runtimes.options import Architecture

GROUP = "picsellia_jupyter.architectures"
"""The entry points that are looked through."""
_TORCHVISION = EntryPoint(
    "torchvision", "picsellia_jupyter.serving.runtimes.torchvision_networks:build", GROUP
)


def build(asked: Architecture | None) -> Any:
    """A registered network with fresh weights.

    Args:
        asked: which one, and what it is made with.

    Raises:
        ModelLoadError: none is named, none of that name is registered, or it cannot be made.
    """
    if asked is None:
        raise ModelLoadError(
            "The model file holds weights without their network.",
            'Name it in serving.json, {"format": 1, "architecture": "…"}; '
            f"registered: {', '.join(sorted(_registered())) or 'none'}. "
            "Or export the model as ONNX.",
        )
    make = _factory(asked.name)
    try:
        return make(**asked.arguments)
    except ModelLoadError:
        raise
    except Exception as error:  # it is another package's
        raise ModelLoadError(
            f"The architecture {asked.name!r} cannot be made with {dict(asked.arguments)}: {error}",
            "Correct the architecture in serving.json.",
        ) from error


def _factory(name: str) -> Callable[..., Any]:
    known = _registered()
    if name not in known:
        error = NotFoundError.named("architecture", name, sorted(known))
        raise ModelLoadError(
            error.fact,
            f"{error.remedy} A package registers one as an entry point in the group {GROUP!r}; "
            "install it where Jupyter runs.",
        )
    try:
        return known[name].load()  # type: ignore[no-any-return]
    except Exception as error:  # whatever importing that package raises
        raise ModelLoadError(
            f"The architecture {name!r} cannot be imported from {known[name].value!r}: {error}",
            f"Look whether this works: python -c 'import {known[name].module}'",
        ) from error


def _registered() -> dict[str, EntryPoint]:
    points = (_TORCHVISION, *entry_points(group=GROUP))
    return {point.name: point for point in points}
