"""From the batch that every runtime is handed to the tensor that its model wants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.serving.signature import InputSignature, Outputs, TensorSignature, per_image

_DEPTHS = (1, 3)
"""Channels that an image may have."""
DTYPES = ("float32", "float16", "float64", "uint8")
"""That an image may be handed over in."""


def only_image(inputs: Sequence[TensorSignature]) -> InputSignature:
    """How an image goes into a model whose inputs are known.

    Raises:
        ModelLoadError: it takes more than one tensor, or one that is no image.
    """
    check_single([one.name for one in inputs])
    return image_signature(inputs[0].name, inputs[0].shape, inputs[0].dtype)


def check_single(names: Sequence[str]) -> None:
    """Make sure that a model takes one tensor.

    Raises:
        ModelLoadError: it takes more, or none.
    """
    if len(names) != 1:
        raise ModelLoadError(
            f"The model takes {len(names)} inputs: {', '.join(names) or 'none'}.",
            "Export it with one, the image batch (N, C, H, W); an ONNX model may take "
            f"{' and '.join(sorted(_TOLD_BY_SIZE))} beside it.",
        )


def image_among(
    inputs: Sequence[TensorSignature],
) -> tuple[InputSignature, tuple[TensorSignature, ...]]:
    """How an image goes into a model, and what else it wants, which the image's size tells.

    Raises:
        ModelLoadError: it takes more than one image, or something that no photo tells.
    """
    others = tuple(one for one in inputs if one.name in _TOLD_BY_SIZE)
    return only_image([one for one in inputs if one not in others]), others


def beside(
    others: Sequence[TensorSignature], batch: NDArray[np.float32]
) -> dict[str, NDArray[np.generic]]:
    """What a model wants beside a batch (N, C, H, W), so that it answers in pixels of it."""
    return {one.name: _TOLD_BY_SIZE[one.name](batch).astype(np.dtype(one.dtype)) for one in others}


def _target_sizes(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width = batch.shape[2:]
    return np.tile(np.array([width, height], np.float32), (len(batch), 1))


def _pixel_mask(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ones((len(batch), *batch.shape[2:]), np.float32)


_TOLD_BY_SIZE: Mapping[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "orig_target_sizes": _target_sizes,
    "pixel_mask": _pixel_mask,
}
"""By name: (N, 2) width and height that boxes are scaled to, of RT-DETR, D-FINE and DEIM; and
(N, H, W) pixels that are no padding, of Hugging Face's DETR."""


def image_signature(name: str, shape: Sequence[int | None], dtype: str) -> InputSignature:
    """Tell from a tensor's shape how an image goes into it.

    Args:
        name: of the tensor.
        shape: (N, C, H, W) or (N, H, W, C), without N where it takes one image alone, as
            torchvision's detectors do when exported to ONNX; None for any size.
        dtype: a numpy name.

    Raises:
        ModelLoadError: no image goes into such a tensor.
    """
    alone = len(shape) == 3 and bool({shape[0], shape[2]} & set(_DEPTHS))
    if alone:
        shape = (1, *shape)
    if len(shape) != 4:
        raise ModelLoadError(
            f"The model's input has {len(shape)} dimensions, not 4.",
            "Export it with one input of shape (N, C, H, W) or (N, H, W, C).",
        )
    if dtype not in DTYPES:
        raise ModelLoadError(
            f"The model's input {name!r} is {dtype}.",
            f"Export it with one of: {', '.join(DTYPES)}.",
        )
    if shape[3] in _DEPTHS and shape[1] not in _DEPTHS:
        batch, height, width, channels = shape
        return InputSignature(name, batch, channels, height, width, "NHWC", dtype, alone)
    batch, channels, height, width = shape
    return InputSignature(name, batch, channels, height, width, "NCHW", dtype, alone)


def fed(batch: NDArray[np.float32], signature: InputSignature) -> NDArray[np.generic]:
    """A batch (N, C, H, W) as the model wants it; of one image where it takes no batches."""
    given = _laid_out(batch, signature)
    return given[0] if signature.alone else given


def _laid_out(batch: NDArray[np.float32], signature: InputSignature) -> NDArray[np.generic]:
    if signature.layout == "NHWC":
        batch = batch.transpose(0, 2, 3, 1)
    if signature.dtype == "uint8":
        return np.ascontiguousarray(np.clip(np.rint(batch), 0, 255).astype(np.uint8))
    return np.ascontiguousarray(batch, dtype=np.dtype(signature.dtype))


def in_batches_of(
    size: int | None,
    batch: NDArray[np.float32],
    run: Callable[[NDArray[np.float32]], Outputs],
) -> list[Outputs]:
    """Outputs of every image, from a model that may take batches of one size alone.

    Args:
        size: of its batches; None where it takes any.
        batch: (N, C, H, W).
        run: outputs of a batch that fits; the last one is filled up with zeros.
    """
    if size is None or size == len(batch):
        return per_image(run(batch), len(batch))
    found: list[Outputs] = []
    for at in range(0, len(batch), size):
        part = batch[at : at + size]
        whole = np.zeros((size, *batch.shape[1:]), batch.dtype)
        whole[: len(part)] = part
        found += per_image(run(whole), size)[: len(part)]
    return found
