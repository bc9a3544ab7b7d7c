"""What PyTorch models return, in any of its forms, as arrays by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidPredictionError
from picsellia_jupyter.serving.signature import Outputs, per_image

_ONLY = "output_0"


def of_images(value: Any, count: int) -> list[Outputs]:
    """Outputs of every image of a batch.

    Args:
        value: what the model returned: a tensor, a tuple, list, dict, named tuple or dataclass
            of them, a list with a dict for every image as torchvision's detectors give, or
            those behind a dict of losses as they give when scripted.
        count: images in the batch.

    Raises:
        InvalidPredictionError: it holds something that is no tensor.
    """
    images = _each_image(value)
    if images is None:
        return per_image(named(value), count)
    if len(images) != count:
        raise InvalidPredictionError(
            f"The model returns {len(images)} dicts for {count} images.",
            "Have it return one for every image.",
        )
    return [named(image) for image in images]


def named(value: Any) -> dict[str, NDArray[np.generic]]:
    """All tensors in a value; those of a tuple are `output_0` and so on.

    Raises:
        InvalidPredictionError: it holds something that is no tensor.
    """
    images = _each_image(value)
    if images is not None and len(images) == 1:
        value = images[0]
    parts = _parts(value)
    if parts is None:
        return {_ONLY: _array(value)}
    return dict(_flat("", parts))


def _each_image(value: Any) -> list[Mapping[str, Any]] | None:
    """The dicts of a list that has one for every image; None where it is nothing of the kind."""
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], Mapping):
        value = value[1]  # a scripted detector returns its losses first
    is_list = isinstance(value, list) and all(isinstance(item, Mapping) for item in value)
    return value if is_list and value else None


def _parts(value: Any) -> Mapping[str, Any] | None:
    if hasattr(value, "_asdict"):
        return value._asdict()  # type: ignore[no-any-return]
    if isinstance(value, Mapping):
        return {str(name): item for name, item in value.items()}
    if isinstance(value, tuple | list):
        return {f"output_{index}": item for index, item in enumerate(value)}
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def _flat(prefix: str, parts: Mapping[str, Any]) -> Iterator[tuple[str, NDArray[np.generic]]]:
    for name, item in parts.items():
        inner = _parts(item)
        if inner is not None:
            yield from _flat(f"{prefix}{name}.", inner)
        elif item is not None:  # an optional output that this model does not give
            yield prefix + name, _array(item)


def _array(tensor: Any) -> NDArray[np.generic]:
    if not hasattr(tensor, "numpy"):
        raise InvalidPredictionError(
            f"The model returns a {type(tensor).__name__} that is no tensor.",
            "Have it return tensors: one, a tuple, or a dict of them.",
        )
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point() and tensor.element_size() < 4:
        tensor = tensor.float()  # numpy has no bfloat16
    return np.asarray(tensor.numpy())
