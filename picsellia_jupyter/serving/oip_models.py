"""What the front offers under the Open Inference Protocol: the model's own tensors, and photos."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    InvalidPredictionError,
    NotFoundError,
    PicselliaJupyterError,
)
from picsellia_jupyter.domain.predictions import PREDICTION_TYPES, PredictedImage, Prediction
from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.serving import fields, oip_photos
from picsellia_jupyter.serving.oip_tensors import BYTES, DATATYPES, Array, InferRequest, datatype_of
from picsellia_jupyter.serving.signature import LoadedModel, TensorSignature
from picsellia_jupyter.serving.tensors import Tensors
from picsellia_jupyter.serving.upload import MAX_IMAGE_BYTES, TooLargeError, Upload

PHOTOS = "photos"
TENSORS = "tensors"
MAX_PHOTOS = 64
"""Photos in one request."""
_AT_ONCE = 16
"""Photos of one request that wait for the model together, so that others get their turn."""


class Runner(Protocol):
    """What runs the model."""

    async def infer(self, given: Tensors) -> Tensors:
        """The model's own outputs for inputs of its own."""

    async def predicted(self, upload: Upload) -> PredictedImage:
        """Everything found in one image, which is recorded if it is to be monitored."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One input or output, in the protocol's terms."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    """-1 for any size."""
    optional: bool = False


class Offer(Protocol):
    """One model that clients can name."""

    inputs: Sequence[Spec]
    outputs: Sequence[Spec]

    async def infer(self, request: InferRequest) -> Mapping[str, Array]:
        """Its outputs by name, those that are wanted at least."""


class OwnTensors:
    """The model as its file has it: nothing is prepared, read or recorded."""

    def __init__(self, model: LoadedModel, runner: Runner) -> None:
        self.inputs: Sequence[Spec] = tuple(map(_spec, model.inputs))
        self.outputs: Sequence[Spec] = tuple(map(_spec, model.outputs))
        self._runner = runner

    async def infer(self, request: InferRequest) -> Mapping[str, Array]:
        """The model's own outputs.

        Raises:
            InvalidInputError: they are not the inputs it takes.
        """
        _check_inputs(request.inputs, self.inputs)
        return await self._runner.infer(request.inputs)


class Photos:
    """Encoded photos in, what was found in them out, and recorded like any prediction."""

    inputs: Sequence[Spec] = (
        Spec("image", BYTES, (-1,)),
        Spec("name", BYTES, (-1,), optional=True),
    )

    def __init__(self, version: ModelVersion, runner: Runner) -> None:
        self._kind: type[Prediction] = PREDICTION_TYPES.get(version.type, Prediction)
        self._labels = version.labels
        self._runner = runner
        self.outputs: Sequence[Spec] = tuple(
            Spec(name, datatype_of(array), (-1, *array.shape[1:]))
            for name, array in oip_photos.outputs(self._kind, [], self._labels).items()
        )

    async def infer(self, request: InferRequest) -> Mapping[str, Array]:
        """What was found in every photo; one that cannot be predicted on fails alone.

        Raises:
            InvalidInputError: there is no photo, too many, or one that is too large.
            PicselliaJupyterError: none of them could be predicted on; why the first could not.
        """
        _check_inputs(request.inputs, self.inputs)
        turn = asyncio.Semaphore(_AT_ONCE)
        told = await asyncio.gather(*(self._predict(one, turn) for one in _uploads(request)))
        errors = [one for one in told if isinstance(one, PicselliaJupyterError)]
        if len(errors) == len(told):
            raise errors[0]
        return oip_photos.outputs(self._kind, told, self._labels)

    async def _predict(
        self, upload: Upload, turn: asyncio.Semaphore
    ) -> PredictedImage | PicselliaJupyterError:
        try:
            async with turn:
                predicted = await self._runner.predicted(upload)
        except PicselliaJupyterError as error:
            return error
        if self._kind is not Prediction and type(predicted.found) is not self._kind:
            kind = predicted.found.inference_type.title
            return InvalidPredictionError(f"The model gave a {kind}.", "Deploy it again.")
        return predicted


def offers(version: ModelVersion, model: LoadedModel, runner: Runner) -> Mapping[str, Offer]:
    """The models that clients can name: `photos`, `tensors`, and the model's name for the latter.

    The name that the model has on the platform stands for its own tensors, so that a client of
    a server that holds the same file finds here what it found there.
    """
    own = OwnTensors(model, runner)
    return {version.model_name: own, TENSORS: own, PHOTOS: Photos(version, runner)}


def timeout_s(request: InferRequest) -> float | None:
    """Seconds that a client gives its request by Triton's parameter `timeout`; None for none.

    Raises:
        InvalidInputError: it is no number of microseconds.
    """
    told = request.parameters.get("timeout", 0)
    if isinstance(told, bool) or not isinstance(told, int) or told < 0:
        raise InvalidInputError(f"timeout is {told!r}.", "Send whole microseconds, 0 for none.")
    return told / 1e6 if told else None


def select(outputs: Mapping[str, Array], request: InferRequest) -> Mapping[str, Array]:
    """The outputs that are wanted, in the order that they were asked for.

    Raises:
        NotFoundError: one is not there.
    """
    for name in request.outputs:
        if name not in outputs:
            raise NotFoundError.named("output", name, list(outputs))
    return {name: outputs[name] for name in request.outputs or outputs}


def _spec(tensor: TensorSignature) -> Spec:
    shape = tuple(-1 if side is None else side for side in tensor.shape)
    return Spec(tensor.name, DATATYPES.get(tensor.dtype, BYTES), shape)


# Inputs ------------------------------------------------------------------------------------


def _check_inputs(given: Mapping[str, Array], specs: Sequence[Spec]) -> None:
    """Refuse inputs that do not fit; a model that tells of none takes any numbers."""
    known = {spec.name: spec for spec in specs}
    for name, array in given.items():
        if name in known:
            _check(array, known[name])
        elif known:
            raise NotFoundError.named("input", name, list(known))
        elif array.dtype.kind == "O":
            raise InvalidInputError(f"The input {name!r} is BYTES.", "This model takes numbers.")
    for spec in specs:
        if not spec.optional and spec.name not in given:
            raise InvalidInputError(f"The input {spec.name!r} is missing.", f"{_told(spec)}.")
    if not given:
        raise InvalidInputError("There are no inputs.", "Send those that the model takes.")


def _check(array: Array, spec: Spec) -> None:
    if (datatype := datatype_of(array)) != spec.datatype:
        raise InvalidInputError(f"The input {spec.name!r} is {datatype}.", f"{_told(spec)}.")
    if spec.datatype == BYTES:
        return
    sides = zip(array.shape, spec.shape, strict=False)
    if array.ndim != len(spec.shape) or any(want not in (-1, got) for got, want in sides):
        raise InvalidInputError(
            f"The input {spec.name!r} has the shape {list(array.shape)}.", f"{_told(spec)}."
        )


def _told(spec: Spec) -> str:
    return f"Send {spec.datatype} of shape {list(spec.shape)}, -1 being any size"


def _uploads(request: InferRequest) -> list[Upload]:
    images = request.inputs["image"].ravel().tolist()
    if len(images) > MAX_PHOTOS:
        raise InvalidInputError(f"There are {len(images)} photos.", f"Send at most {MAX_PHOTOS}.")
    if (largest := max(map(len, images))) > MAX_IMAGE_BYTES:
        raise TooLargeError(f"A photo has {largest / 2**20:.0f} MiB.", "Send at most 32 MiB each.")
    monitor = request.parameters.get("monitor", True)
    if not isinstance(monitor, bool):
        raise InvalidInputError(f"monitor is {monitor!r}.", "Send true or false.")
    source = fields.source(request.parameters.get("source"))
    return [
        Upload(name, image, monitor=monitor, source=source)
        for name, image in zip(_names(request, len(images)), images, strict=True)
    ]


def _names(request: InferRequest, count: int) -> list[str]:
    """What the photos are called: as the client says, or by their place."""
    given = request.inputs.get("name", np.empty(0, object)).ravel().tolist()
    if not given:
        return ["image"] if count == 1 else [f"image-{row}" for row in range(count)]
    if len(given) != count:
        raise InvalidInputError(f"There are {len(given)} names.", f"Send {count}, or none.")
    return [fields.bare_name(name.decode(errors="replace")) for name in given]
