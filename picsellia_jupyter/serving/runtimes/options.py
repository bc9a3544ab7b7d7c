"""How a model is to be run, as its deployment and its serving.json ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from picsellia_jupyter.domain.errors import ModelLoadError


@dataclass(frozen=True, slots=True)
class Architecture:
    """The network that a file of mere weights belongs to."""

    name: str
    """As its package registers it."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """What it is made with: `{"classes": 10}`."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a model is to be run."""

    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:N`."""
    precision: str = "auto"
    """`auto`, `fp32`, `fp16` or `bf16`."""
    threads: int = 1
    """Of one worker on the CPU; more of them on a shared machine cost more than they bring."""
    architecture: Architecture | None = None
    graph_batches: tuple[int, ...] | None = None
    """Batch sizes that are recorded as CUDA graphs; none where it is empty, and where it is
    None some that are usual, if that is faster."""


DEFAULT = Options()


def split(
    said: Mapping[str, Any], *, device: str, precision: str
) -> tuple[Options, Mapping[str, Any]]:
    """What a serving.json says of how a model is run, and all else that it says.

    Args:
        said: the object in the file.
        device: that the deployment asks for.
        precision: likewise.

    Raises:
        ModelLoadError: it cannot be understood.
    """
    rest = dict(said)
    architecture = _architecture(rest.pop("architecture", None))
    asked = rest.pop("cuda_graphs", None)
    batches = _batches(asked) if asked is not None else None
    return Options(device, precision, architecture=architecture, graph_batches=batches), rest


def _architecture(said: object) -> Architecture | None:
    if said is None:
        return None
    if isinstance(said, str):
        return Architecture(said)
    if isinstance(said, dict) and isinstance(said.get("name"), str):
        return Architecture(said["name"], {k: v for k, v in said.items() if k != "name"})
    raise ModelLoadError(
        f"serving.json: architecture is {said!r}.",
        'Give its name, or an object: {"name": "…", "classes": 10}.',
    )


def _batches(said: object) -> tuple[int, ...]:
    if isinstance(said, Sequence) and all(type(n) is int and 1 <= n <= 1024 for n in said):
        return tuple(sorted(set(said)))
    raise ModelLoadError(
        f"serving.json: cuda_graphs is {said!r}.", "Give batch sizes: [1, 2, 4, 8], or [] for none."
    )
