"""The one place that decides, by content, whether a model file may be loaded."""

from __future__ import annotations

import json
import mmap
import re
import zipfile
import zlib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from picsellia_jupyter.domain.errors import ModelLoadError
from picsellia_jupyter.serving import archives


class ModelFormat(str, Enum):
    """Formats that are loaded; the value is their name in words."""

    ONNX = "ONNX model"
    TORCHSCRIPT = "TorchScript program"
    TORCH_EXPORT = "torch.export program"
    TORCH_STATE_DICT = "PyTorch state dict"
    SAFETENSORS = "safetensors file"
    KERAS = "Keras model"
    SAVED_MODEL = "TensorFlow SavedModel"

    @property
    def is_program(self) -> bool:
        """Whether loading or running it runs code of its author; the others are data."""
        data = (ModelFormat.ONNX, ModelFormat.TORCH_STATE_DICT, ModelFormat.SAFETENSORS)
        return self not in data


_PICKLE = (
    "a Python pickle, which runs any code in it when it is loaded",
    "Export it as ONNX: torch.onnx.export(model, (images,), 'model.onnx'). "
    "It is never unpickled here.",
)
_TO_ONNX = "Export the model as ONNX and store that file instead."
_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file, as Keras writes", _TO_ONNX),
    (4, b"TFL3", "a TensorFlow Lite model", _TO_ONNX),
    (257, b"ustar", "a tar archive, as old torch.save wrote pickles in", _PICKLE[1]),
    (0, b"\x1f\x8b", "a gzip archive", "Store the model file itself, not an archive of it."),
    (0, b"7z\xbc\xaf", "a 7z archive", "Store the model file itself, not an archive of it."),
    (0, b"version https://git-lfs", "a Git LFS pointer", "Run git lfs pull, then store it again."),
    (0, b"<", "a web page, an error page perhaps", "Download the model again, then store it."),
)
_KNOWN = (
    "Formats that are served: ONNX, TorchScript, torch.export (.pt2), safetensors, state dicts "
    "of torch.save, .keras, and a SavedModel as a zip."
)


def recognise(path: Path) -> ModelFormat:
    """The format of a model file, decided by its content; its name plays no part.

    Raises:
        ModelLoadError: the file is missing, empty, a pickle, or nothing that is served.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except OSError as error:
        raise ModelLoadError(
            f"The model file cannot be read: {error.strerror}.", "Deploy it again."
        ) from error
    if head[:4] == b"PK\x03\x04":
        return _in_zip(path)
    for offset, signature, what, remedy in _SIGNATURES:
        if head[offset : offset + len(signature)] == signature:
            raise _refused(path, what, remedy)
    if head[8:9] == b"{":
        return _safetensors(path)
    if _is_pickle(head):
        raise _refused(path, *_PICKLE)
    if head and _is_onnx(path):
        return ModelFormat.ONNX
    what = "of no known model format" if head else "empty"
    raise _refused(path, what, _KNOWN)


def _in_zip(path: Path) -> ModelFormat:
    try:
        with zipfile.ZipFile(path) as archive:
            archives.check(archive)
            kind = _checked(archive)
    except archives.UnsafeArchiveError as error:
        raise _refused(path, str(error), _TO_ONNX) from error
    except (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError) as error:
        raise _refused(path, f"a broken zip archive ({error})", "Store it again.") from error
    if kind is None:
        raise _refused(path, "a zip archive of no known model format", _KNOWN)
    return kind


def _checked(archive: zipfile.ZipFile) -> ModelFormat | None:
    """What an archive is, its content checked; None for nothing that is known."""
    whole = archive.namelist()
    within = {name.partition("/")[2]: name for name in whole}
    if "models/model.json" in within or "serialized_exported_program.json" in whole:
        archives.check_export(archive)
        return ModelFormat.TORCH_EXPORT
    if any(name.endswith(".data/extern_modules") for name in whole):
        raise archives.UnsafeArchiveError("a torch.package, which is Python code")
    if "data.pkl" in within:
        archives.check_root(archive)
    if "data.pkl" in within and any(name.startswith("code/") for name in within):
        archives.check_torchscript(archive)
        return ModelFormat.TORCHSCRIPT
    if "data.pkl" in within:
        archives.check_tensors_only(archives.read(archive, within["data.pkl"]))
        return ModelFormat.TORCH_STATE_DICT
    if {"model.weights.h5", "config.json"} <= set(whole):
        archives.check_keras(archive)
        return ModelFormat.KERAS
    graph = next((name for name in whole if re.fullmatch(r"([^/]+/)?saved_model\.pb", name)), None)
    if graph is None:
        return None
    archives.check_saved_model(archive, graph)
    return ModelFormat.SAVED_MODEL


def _is_pickle(head: bytes) -> bool:
    """Protocol 2 and newer say so; older ones begin with a container and end with a dot."""
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05":
        return True
    return head[:1] in (b"c", b"(", b"]", b"}") and b"\n" in head


# The top level of an ONNX file: its protobuf field numbers and their wire types.
_VARINT, _LENGTH = 0, 2
_ONNX_FIELDS = {
    1: _VARINT, 2: _LENGTH, 3: _LENGTH, 4: _LENGTH, 5: _VARINT, 6: _LENGTH, 7: _LENGTH,
    8: _LENGTH, 14: _LENGTH, 20: _LENGTH, 25: _LENGTH, 26: _LENGTH,
}  # fmt: skip
_GRAPH, _IR_VERSION = 7, 1


def _is_onnx(path: Path) -> bool:
    """Whether the whole file is a sequence of ONNX's own fields, with a graph among them."""
    with (
        path.open("rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data,
    ):
        seen = set()
        for field, wire_type in _fields(data):
            if _ONNX_FIELDS.get(field) != wire_type:
                return False
            seen.add(field)
        return {_GRAPH, _IR_VERSION} <= seen


def _fields(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Number and wire type of every top-level field; (0, -1) where the file breaks off."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        value, at = _varint(data, at)
        wire_type = tag & 7
        at += value if wire_type == _LENGTH else 0
        if at > len(data) or tag < 0 or value < 0:
            yield 0, -1
            return
        yield tag >> 3, wire_type


def _varint(data: mmap.mmap, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 64, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    return -1, at


_MOST_HEADER = 100_000_000
"""Bytes; the format's own limit."""


def _safetensors(path: Path) -> ModelFormat:
    try:
        _check_tensors_cover(path)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        what = f"a broken safetensors file ({error})"
        raise _refused(path, what, "Save it again with safetensors.") from error
    return ModelFormat.SAFETENSORS


def _check_tensors_cover(path: Path) -> None:
    """Check that a header's offsets cover the rest of the file, each byte once."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        size = path.stat().st_size - 8 - length
        if length > _MOST_HEADER or size < 0:
            raise ValueError(f"a header of {length} bytes")
        header = json.loads(stream.read(length))
    header.pop("__metadata__", None)
    end = 0
    for begin, after in sorted(one["data_offsets"] for one in header.values()):
        if not begin == end <= after:
            raise ValueError(f"tensors that overlap or leave a gap at {begin}")
        end = after
    if end != size:
        raise ValueError(f"{size} bytes of tensors where the header tells of {end}")


def _refused(path: Path, what: str, remedy: str) -> ModelLoadError:
    return ModelLoadError(f"The model file {path.name!r} is {what}.", remedy)
