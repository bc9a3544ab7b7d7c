"""The Open Inference Protocol's tensors, as JSON and as raw bytes behind it.

The binary form is Triton's extension: the JSON comes first, then the tensors' bytes in its order,
little-endian and in C order. An element of BYTES has its length before it, 4 bytes.
"""

from __future__ import annotations

import itertools
import json
import math
import reprlib
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving.tensors import DTYPES

MAX_JSON = 16 * 1024 * 1024
"""Bytes of JSON in a request; lists of Python numbers take many times more memory."""
MAX_JSON_ELEMENTS = 2_000_000
BYTES = "BYTES"
DATATYPES: Mapping[str, str] = {name: name.upper().replace("FLOAT", "FP") for name in DTYPES}
"""The protocol's name of each numpy dtype: `float32` is `FP32`."""

_DTYPES = {datatype: name for name, datatype in DATATYPES.items()}
_DIMENSIONS = 32
_LENGTH = struct.Struct("<I")
_NEW_HEADERS = (
    "tritonclient writes that header into the dict that it is given: pass a new one for each call."
)
_USE_BINARY = "Use binary data: binary_data=True, which tritonclient does by itself."

Array = NDArray[Any]
"""Numbers and booleans by their dtype; BYTES are objects, each a `bytes`."""


@dataclass(frozen=True, slots=True, eq=False)
class InferRequest:
    """The inputs of a model, and which of its outputs are wanted."""

    inputs: Mapping[str, Array]
    outputs: Mapping[str, bool]
    """Names of those wanted, and whether each is to be binary; empty for all of them."""
    binary: bool
    """Whether all are to be binary, where none is named."""
    id: str | None
    """The client's own, told back."""
    parameters: Mapping[str, Any]

    def is_binary(self, name: str) -> bool:
        """Whether this output is to be binary."""
        return self.outputs.get(name, self.binary)


def read_request(body: bytes | bytearray, json_size: int | None) -> InferRequest:
    """Read the body of an infer request.

    Args:
        body: JSON and then the bytes of the binary tensors.
        json_size: bytes of JSON, from the header `Inference-Header-Content-Length`; None where
            there is no such header and all of it is JSON.

    Raises:
        InvalidInputError: it is no such request.
    """
    text, tail = _parts(body, json_size)
    raw = _object(text)
    inputs = _read_tensors(_list(raw, "inputs"), tail)
    parameters = _mapping(raw, "parameters")
    request_id = raw.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise InvalidInputError(f"The id is {reprlib.repr(request_id)}.", "Send a text, or none.")
    binary = _flag(parameters, "binary_data_output", default=False)
    wanted = _wanted(raw, default=binary)
    return InferRequest(inputs, wanted, binary, request_id, parameters)


def write_reply(
    head: Mapping[str, Any], outputs: Mapping[str, Array], request: InferRequest
) -> tuple[bytes, int | None]:
    """Spell a model's outputs.

    Args:
        head: what the reply says beside them.
        outputs: by name, in their order.
        request: tells which of them are to be binary.

    Returns:
        The body, and how many bytes of it are JSON; None where no tensor is binary.

    Raises:
        InvalidInputError: JSON was asked for, and cannot hold them.
    """
    told, parts = [], []
    for name, array in outputs.items():
        spelt = {"name": name, "datatype": datatype_of(array), "shape": list(array.shape)}
        if request.is_binary(name):
            parts.append(_to_bytes(array))
            told.append({**spelt, "parameters": {"binary_data_size": len(parts[-1])}})
        else:
            told.append({**spelt, "data": _to_list(name, array)})
    text = _dumps({**head, "outputs": told})
    return b"".join([text, *parts]), len(text) if parts else None


def datatype_of(array: Array) -> str:
    """The protocol's name of what an array holds."""
    return DATATYPES.get(array.dtype.name, BYTES)


def texts(values: Sequence[str | bytes]) -> Array:
    """(N,) BYTES of so many texts."""
    array = np.empty(len(values), object)
    array[:] = [value.encode() if isinstance(value, str) else value for value in values]
    return array


# The request -------------------------------------------------------------------------------


def _parts(body: bytes | bytearray, json_size: int | None) -> tuple[memoryview, memoryview]:
    size = len(body) if json_size is None else json_size
    if not 0 <= size <= len(body):
        raise InvalidInputError(
            f"Inference-Header-Content-Length is {size}, but the body has {len(body)} bytes.",
            f"Send how many bytes of it are JSON. {_NEW_HEADERS}",
        )
    if size > MAX_JSON:
        raise InvalidInputError(f"The body holds {size / 2**20:.0f} MiB of JSON.", _USE_BINARY)
    whole = memoryview(body)
    return whole[:size], whole[size:]


def _object(text: memoryview) -> Mapping[str, Any]:
    try:
        value = json.loads(bytes(text))
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInputError(
            "The body does not begin with a JSON object.",
            'Send {"inputs": [{"name": …, "shape": […], "datatype": …, "data": […]}]}, and its '
            f"bytes as Inference-Header-Content-Length where tensors follow it. {_NEW_HEADERS}",
        )
    return value


def _wanted(raw: Mapping[str, Any], *, default: bool) -> dict[str, bool]:
    wanted = {}
    for one in _list(raw, "outputs") if raw.get("outputs") is not None else []:
        parameters = _mapping(one, "parameters")
        for refused in ("shared_memory_region", "classification"):
            if parameters.get(refused):
                raise InvalidInputError(f"There is no {refused} here.", "Ask for whole outputs.")
        wanted[_name(one)] = _flag(parameters, "binary_data", default=default)
    return wanted


def _read_tensors(told: Sequence[Mapping[str, Any]], tail: memoryview) -> dict[str, Array]:
    inputs: dict[str, Array] = {}
    at = 0
    for one in told:
        name, size = _name(one), _binary_size(one)
        if name in inputs:
            raise InvalidInputError(f"The input {name!r} comes twice.", "Send it once.")
        if size is not None and size > len(tail) - at:
            raise InvalidInputError(
                f"The input {name!r} takes {size} bytes; {len(tail) - at} are left.",
                "Send as many bytes after the JSON as binary_data_size says, and their "
                "Inference-Header-Content-Length.",
            )
        inputs[name] = _read_tensor(name, one, None if size is None else tail[at : at + size])
        at += size or 0
    if at != len(tail):
        raise InvalidInputError(
            f"{len(tail) - at} bytes after the JSON belong to no input.",
            "Say binary_data_size in the parameters of each binary one.",
        )
    return inputs


def _read_tensor(name: str, one: Mapping[str, Any], data: memoryview | None) -> Array:
    shape, datatype = _shape(name, one), one.get("datatype")
    if not isinstance(datatype, str) or datatype not in (*_DTYPES, BYTES):
        raise InvalidInputError(
            f"The input {name!r} is {reprlib.repr(datatype)}.",
            f"Known: {', '.join([*_DTYPES, BYTES])}.",
        )
    if data is not None:
        flat = _from_bytes(name, datatype, data, math.prod(shape))
    else:
        flat = _from_list(name, datatype, one.get("data"))
    if flat.size != math.prod(shape):
        raise InvalidInputError(
            f"The input {name!r} has {flat.size} elements, not the {math.prod(shape)} of {shape}.",
            "Send as many as its shape says.",
        )
    return flat.reshape(shape)


def _shape(name: str, one: Mapping[str, Any]) -> list[int]:
    shape = one.get("shape")
    if (
        not isinstance(shape, list)
        or len(shape) > _DIMENSIONS
        or not all(type(side) is int and side > 0 for side in shape)
    ):
        raise InvalidInputError(
            f"The shape of the input {name!r} is {reprlib.repr(shape)}.",
            "Send a list of whole numbers over 0, such as [1, 3, 640, 640].",
        )
    return shape


# Tensors in JSON ---------------------------------------------------------------------------


def _from_list(name: str, datatype: str, data: object) -> Array:
    flat = _flat(name, data)
    dtype = np.dtype(_DTYPES.get(datatype, object))
    wrong = sorted(kind.__name__ for kind in set(map(type, flat)) - _KINDS[dtype.kind])
    if wrong:
        raise InvalidInputError(
            f"The data of the input {name!r} hold {', '.join(wrong)}, which is no {datatype}.",
            "Send plain numbers, true and false for BOOL, texts for BYTES.",
        )
    if dtype.kind == "O":
        return texts(_encodable(name, flat))
    return _numbers(name, flat, dtype)


def _numbers(name: str, flat: list[Any], dtype: np.dtype[Any]) -> Array:
    misfit = InvalidInputError(
        f"A number of the input {name!r} does not fit {DATATYPES[dtype.name]}.",
        "Send it in a datatype that holds it.",
    )
    if dtype.kind in "iu" and flat:
        limits = np.iinfo(dtype)
        if not limits.min <= min(flat) <= max(flat) <= limits.max:
            raise misfit
    try:
        with np.errstate(over="ignore"):
            return np.array(flat, dtype)
    except OverflowError:
        raise misfit from None


def _encodable(name: str, flat: list[str]) -> list[bytes]:
    try:
        return [text.encode() for text in flat]
    except UnicodeEncodeError as error:
        raise InvalidInputError(f"A text of {name!r} is no Unicode.", _USE_BINARY) from error


def _flat(name: str, data: object) -> list[Any]:
    """The elements of nested lists, row by row."""
    if not isinstance(data, list):
        raise InvalidInputError(
            f"The data of the input {name!r} are {reprlib.repr(data)}.",
            "Send a list of its elements.",
        )
    while data and set(map(type, data)) == {list}:
        data = list(itertools.chain.from_iterable(data))
    return data


_KINDS: Mapping[str, set[type]] = {
    "b": {bool}, "i": {int}, "u": {int}, "f": {int, float}, "O": {str},
}  # fmt: skip
"""What JSON may hold for each kind of dtype."""


def _to_list(name: str, array: Array) -> list[Any]:
    if array.size > MAX_JSON_ELEMENTS:
        raise InvalidInputError(f"The output {name!r} has {array.size} elements.", _USE_BINARY)
    if array.dtype.kind == "f" and not bool(np.isfinite(array).all()):
        raise InvalidInputError(
            f"The output {name!r} holds NaN or infinity, which JSON has no words for.", _USE_BINARY
        )
    flat: list[Any] = array.ravel().tolist()
    try:
        return [text.decode() for text in flat] if array.dtype.kind == "O" else flat
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"The output {name!r} is no text.", _USE_BINARY) from error


def _dumps(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


# Tensors in bytes --------------------------------------------------------------------------


def _from_bytes(name: str, datatype: str, data: memoryview, count: int) -> Array:
    if datatype == BYTES:
        return texts(_elements(name, data))
    dtype = np.dtype(_DTYPES[datatype])
    if len(data) != count * dtype.itemsize:
        raise InvalidInputError(
            f"The input {name!r} has {len(data)} bytes, not {count * dtype.itemsize}.",
            f"Send {count} elements of {datatype}, {dtype.itemsize} bytes each.",
        )
    if dtype.kind == "b":
        # Any other byte than 0 and 1 in a boolean array is undefined behaviour.
        return np.frombuffer(data, np.uint8).astype(bool)
    flat: Array = np.frombuffer(data, dtype.newbyteorder("<"))
    return flat.astype(dtype, copy=False)


def _elements(name: str, data: memoryview) -> list[bytes]:
    elements, at = [], 0
    while at + _LENGTH.size <= len(data):
        (size,) = _LENGTH.unpack_from(data, at)
        at += _LENGTH.size
        elements.append(bytes(data[at : at + size]))
        at += size
    if at != len(data):
        raise InvalidInputError(
            f"The bytes of the input {name!r} end within an element.",
            "Send the length of each as 4 bytes, little-endian, before it.",
        )
    return elements


def _to_bytes(array: Array) -> bytes:
    if array.dtype.kind == "O":
        return b"".join(_LENGTH.pack(len(one)) + one for one in array.ravel().tolist())
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return little.tobytes()


def _binary_size(one: Mapping[str, Any]) -> int | None:
    parameters = _mapping(one, "parameters")
    if parameters.get("shared_memory_region") is not None:
        raise InvalidInputError("There is no shared memory here.", _USE_BINARY)
    size = parameters.get("binary_data_size")
    if size is not None and (type(size) is not int or size < 0):
        raise InvalidInputError(
            f"binary_data_size is {reprlib.repr(size)}.", "Send its bytes' number."
        )
    return size


# JSON values -------------------------------------------------------------------------------


def _list(raw: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = raw.get(key)
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise InvalidInputError(f"{key} is {reprlib.repr(value)}.", "Send a list of objects.")
    return value


def _mapping(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = raw.get(key)
    if value is not None and not isinstance(value, dict):
        raise InvalidInputError(f"{key} is {reprlib.repr(value)}.", "Send an object.")
    return value or {}


def _flag(parameters: Mapping[str, Any], key: str, *, default: bool) -> bool:
    value = parameters.get(key, default)
    if not isinstance(value, bool):
        raise InvalidInputError(f"{key} is {reprlib.repr(value)}.", "Send true or false.")
    return value


def _name(one: Mapping[str, Any]) -> str:
    name = one.get("name")
    if not isinstance(name, str):
        raise InvalidInputError(f"The name of a tensor is {reprlib.repr(name)}.", "Send a text.")
    return name
