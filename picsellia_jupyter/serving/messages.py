"""What front and worker say to each other, as JSON; the front trusts none of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    InvalidPredictionError,
    ModelLoadError,
    PicselliaJupyterError,
    ServingError,
)
from picsellia_jupyter.domain.predictions import ImageSize, Prediction
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.recording import shapes
from picsellia_jupyter.serving import confinement, tensors
from picsellia_jupyter.serving.channel import Json, Message
from picsellia_jupyter.serving.signature import LoadedModel, TensorSignature
from picsellia_jupyter.serving.tensors import Tensors
from picsellia_jupyter.wire import resources

RECORDABLE = ("image/jpeg", "image/png")
_LONGEST_S, _LARGEST_BATCH = 1e6, 65_536
_ALLOWED_ERRORS = (InvalidInputError, InvalidPredictionError, ModelLoadError)


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Which model a worker is to hold."""

    model: Path
    manifest: Path | None
    """Its serving.json; None where there is none."""
    kind: InferenceType
    labels: int = 0
    """How many labels the model version has; 0 where that is not known."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda` or `cuda:N`."""
    precision: str = "auto"
    """`auto`, `fp32`, `fp16` or `bf16`."""

    @property
    def files(self) -> tuple[Path, ...]:
        """What a worker has to read for it."""
        return (self.model, self.manifest) if self.manifest else (self.model,)


@dataclass(frozen=True, slots=True)
class Timing:
    """How an image fared in its worker, as the worker tells it."""

    total_s: float = 0.0
    """From its coming to its answer."""
    run_s: float = 0.0
    """Of the model, for the whole batch."""
    batch: int = 1
    """Images in it."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkerReply:
    """What a worker found in one image."""

    found: Prediction
    size: ImageSize
    """Of the upright photo."""
    latency_s: float
    """Seconds of decoding, preparing, running and reading the model; waiting is not in it."""
    content_type: str
    """`image/jpeg` or `image/png`: of `recorded`, or of the image that was sent."""
    recorded: bytes | None = None
    """The image as PNG, where the one that was sent cannot be recorded."""
    timing: Timing = Timing()


def load_message(request: LoadRequest) -> Message:
    """Ask a worker to load a model."""
    manifest = str(request.manifest) if request.manifest else None
    return Message(
        {
            "op": "load",
            "model": str(request.model),
            "manifest": manifest,
            "type": request.kind.value,
            "labels": request.labels,
            "device": request.device,
            "precision": request.precision,
        }
    )


def load_request(header: Mapping[str, Any]) -> LoadRequest:
    """Read what `load_message` wrote."""
    manifest = header["manifest"]
    return LoadRequest(
        Path(header["model"]),
        Path(manifest) if manifest else None,
        InferenceType(header["type"]),
        header["labels"],
        header["device"],
        header["precision"],
    )


def loaded_message(model: LoadedModel, number: int = 0) -> Message:
    """Tell of the model that was loaded, in answer to a message of that number."""
    return Message({"loaded": dataclasses.asdict(model)}, id=number)


def loaded_model(message: Message) -> LoadedModel:
    """Read what `loaded_message` wrote.

    Raises:
        ServingError: the worker says that it failed, or says nothing sensible.
    """
    raise_error(message)
    try:
        raw = dict(message.header["loaded"])
        for side in ("inputs", "outputs"):
            raw[side] = tuple(map(_tensor, raw[side]))
        raw["notes"] = tuple(map(str, raw["notes"]))
        raw["labels"] = tuple(map(int, raw["labels"]))
        # A worker could say anything of its own confinement.
        raw["sandbox"] = confinement.support().kind
        return LoadedModel(**raw)
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(error) from error


def _tensor(raw: Mapping[str, Any]) -> TensorSignature:
    return TensorSignature(raw["name"], raw["dtype"], tuple(raw["shape"]))


def tensors_message(given: Tensors, number: int = 0) -> Message:
    """Ask a worker for a model's own outputs, or answer with them."""
    told, data = tensors.pack(given)
    return Message({"op": "infer", "tensors": told}, data, number)


def tensors_of(message: Message) -> Tensors:
    """Read what `tensors_message` wrote.

    Raises:
        InvalidInputError: the worker says that the model takes other inputs.
        ServingError: it says that it failed, or says nothing sensible.
    """
    raise_error(message)
    try:
        return tensors.unpack(message.header["tensors"], message.body)
    except (KeyError, TypeError, InvalidInputError) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> ServingError:
    return ServingError(
        f"The model worker's answer cannot be read ({error}).", "Deploy the model again."
    )


def predict_message(image: bytes, name: str, *, record: bool) -> Message:
    """Ask a worker what is in an image; `record` asks for a PNG where that is needed."""
    return Message({"op": "predict", "name": name, "record": record}, image)


def reply_message(reply: WorkerReply, number: int = 0) -> Message:
    """Spell what was found, with full precision, in answer to a message of that number."""
    header: Json = {
        "found": shapes.to_json(reply.found),
        "width": reply.size.width,
        "height": reply.size.height,
        "latency": reply.latency_s,
        "content_type": reply.content_type,
        "timing": dataclasses.astuple(reply.timing),
    }
    return Message(header, reply.recorded or b"", number)


def reply_of(message: Message) -> WorkerReply:
    """Read what a worker found.

    Raises:
        InvalidImageError: it says that the image cannot be used.
        ServingError: it says that it failed, or says nothing sensible.
    """
    raise_error(message)
    raw = message.header
    try:
        size = ImageSize(raw["width"], raw["height"])
        return WorkerReply(
            found=shapes.from_json(raw["found"], size),
            size=size,
            latency_s=float(raw["latency"]),
            content_type=RECORDABLE[RECORDABLE.index(raw["content_type"])],
            recorded=message.body or None,
            timing=_timing(*raw["timing"]),
        )
    except (KeyError, TypeError, ValueError, OverflowError, InvalidPredictionError) as error:
        raise _unreadable(error) from error


def _timing(total_s: object, run_s: object, batch: object) -> Timing:
    seconds = (total_s, run_s)
    if not all(isinstance(s, int | float) and 0 <= s < _LONGEST_S for s in seconds):
        raise ValueError(f"seconds are {seconds}")
    if not (isinstance(batch, int) and 1 <= batch <= _LARGEST_BATCH):
        raise ValueError(f"the batch is {batch!r}")
    return Timing(float(total_s), float(run_s), batch)  # type: ignore[arg-type]


def error_message(error: PicselliaJupyterError, number: int = 0) -> Message:
    """Spell why something failed, in answer to a message of that number."""
    return Message({"error": resources.error_to_json(error)}, id=number)


def raise_error(message: Message) -> None:
    """Raise the error that a worker tells of, if it does."""
    raw = message.header.get("error")
    if raw is None:
        return
    error = resources.error_from_json(raw if isinstance(raw, dict) else {})
    if isinstance(error, _ALLOWED_ERRORS):
        raise error
    raise ServingError(error.fact, error.remedy)
