"""Model files that are zip archives: safe to open at all, and what is in them."""

from __future__ import annotations

import io
import json
import pickletools
import re
import stat
import zipfile
from collections.abc import Iterator
from typing import Any

MOST_MEMBERS = 20_000
MOST_BYTES = 64 * 1024**3
MOST_RATIO = 100
"""Bytes unpacked for each byte stored; weights hardly shrink, bombs do."""
_SMALL = 1024**2
"""A member up to so many bytes may shrink as it likes."""
_MOST_TEXT = 64 * 1024**2
"""Bytes of a member that is read as a whole."""


class UnsafeArchiveError(Exception):
    """Why an archive, or what is in it, is refused: it completes "The model file is …"."""


def check(archive: zipfile.ZipFile) -> None:
    """Refuse an archive that could do harm by being unpacked.

    Raises:
        UnsafeArchiveError: it is a bomb, leads outside itself, or contradicts itself.
    """
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise UnsafeArchiveError(f"a zip archive of {len(members)} members, over {MOST_MEMBERS}")
    first = min((member.header_offset for member in members), default=0)
    if first:
        # What is cut off may end with a whole archive that it holds.
        raise UnsafeArchiveError(f"a broken zip archive: its first {first} bytes are of no member")
    total = sum(member.file_size for member in members)
    if total > MOST_BYTES:
        raise UnsafeArchiveError(f"a zip archive that unpacks to {total} bytes")
    seen: set[str] = set()
    for member in members:
        _check_member(member)
        name = member.filename.casefold()  # torch's reader does not tell "a" from "A"
        if name in seen:
            raise UnsafeArchiveError(f"a zip archive with two members {member.filename!r}")
        seen.add(name)
    _check_overlap(members)


def _check_member(member: zipfile.ZipInfo) -> None:
    name = member.orig_filename
    parts = re.split(r"[/\\]", name)
    if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in name:
        raise UnsafeArchiveError(f"a zip archive with a member outside itself, {name!r}")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UnsafeArchiveError(f"a zip archive with a link, {name!r}")
    if member.flag_bits & 1:
        raise UnsafeArchiveError(f"an encrypted zip archive, by its member {name!r}")
    if member.file_size > max(_SMALL, MOST_RATIO * member.compress_size):
        raise UnsafeArchiveError(
            f"a zip bomb: {name!r} unpacks {member.compress_size} to {member.file_size} bytes"
        )


def _check_overlap(members: list[zipfile.ZipInfo]) -> None:
    end = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < end:
            raise UnsafeArchiveError(f"a zip bomb: {member.filename!r} overlaps another member")
        end = member.header_offset + 30 + member.compress_size


def read(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member as a whole, checked against its checksum.

    Raises:
        UnsafeArchiveError: it is longer than anything of its kind.
        zipfile.BadZipFile: it is broken.
    """
    if archive.getinfo(name).file_size > _MOST_TEXT:
        raise UnsafeArchiveError(f"a zip archive whose {name!r} is too long to check")
    return archive.read(name)


# Pickles of tensors --------------------------------------------------------------------------

_TENSOR_CALLS = re.compile(
    r"collections OrderedDict|torch\._utils _rebuild_(tensor(_v2|_v3)?|parameter(_with_state)?)"
    r"|torch (\w+Storage|Size|device|float\d+\w*|bfloat16|u?int\d+|bool|complex\d+)"
    r"|torch\.storage (UntypedStorage|TypedStorage)|torch\.nn\.parameter Parameter"
)


def check_tensors_only(pickled: bytes) -> None:
    """Refuse a pickle that asks for more than tensors are made of; nothing is unpickled.

    Raises:
        UnsafeArchiveError: it asks for anything else, or cannot be read.
    """
    for asked in _asked(pickled):
        if not _TENSOR_CALLS.fullmatch(asked):
            raise UnsafeArchiveError(
                f"a Python pickle that calls {asked.replace(' ', '.')}: "
                "it runs code when it is loaded"
            )


def _asked(pickled: bytes) -> Iterator[str]:
    texts: list[str] = []
    try:
        for code, value, _ in pickletools.genops(io.BytesIO(pickled)):
            if code.name in ("GLOBAL", "INST"):
                yield str(value)
            elif code.name == "STACK_GLOBAL":
                yield " ".join(texts[-2:])
            elif code.name in ("EXT1", "EXT2", "EXT4"):
                yield f"extension {value}"
            elif isinstance(value, str) and "PERSID" not in code.name:
                texts.append(value)
    except Exception as error:
        raise UnsafeArchiveError(f"a broken pickle ({error})") from error


# Programs that say what they do --------------------------------------------------------------

_FILE_CALLS = re.compile(rb"\b(?:torch|aten)[\s\\]*(?:\.|::)[\s\\]*(save|from_file)\b")


def check_torchscript(archive: zipfile.ZipFile) -> None:
    """Refuse TorchScript that names a file operator; the sandbox is what stops the rest.

    Raises:
        UnsafeArchiveError: it does.
    """
    for name in archive.namelist():
        if "/code/" in f"/{name}" and name.endswith(".py"):
            found = _FILE_CALLS.search(read(archive, name))
            if found:
                call = found[1].decode()
                raise UnsafeArchiveError(f"a TorchScript program that calls aten::{call} on files")


_NATIVE = (".so", ".dylib", ".dll", ".cubin", ".o")


_PICKLED_OBJECT = "opaque_obj"
"""How torch.export names constants that it unpickles without any check."""
_GRAPHS = re.compile(r"(^|/)models/[^/]*$|^serialized_exported_program", re.IGNORECASE)
_ARITHMETIC = re.compile(r"(?:[\w\s+*/%(),<>=!&|~-]|\.\d)*")
"""What sizes are computed with. torch has them evaluated as Python."""
_SYMBOL = re.compile(r"Symbol\('\w+'")
_NAMES = re.compile(
    r"[A-Z]\w*|[a-z]{1,6}\d+|positive|negative|nonnegative|nonzero|integer|real|finite"
    r"|floor|ceiling|sqrt|log|exp|abs"
)
"""sympy's classes, symbols, what is assumed of them and functions; none of Python's own."""


def check_root(archive: zipfile.ZipFile) -> None:
    """Refuse an archive of torch that is several ones: torch reads the first, others the last.

    Raises:
        UnsafeArchiveError: it is.
    """
    roots = {name.partition("/")[0] for name in archive.namelist()}
    if len(roots) > 1:
        raise UnsafeArchiveError(f"a torch archive with several roots, {', '.join(sorted(roots))}")


def check_export(archive: zipfile.ZipFile) -> None:
    """Refuse a torch.export archive with machine code, pickled objects or Python in it.

    Raises:
        UnsafeArchiveError: it has some.
    """
    names = archive.namelist()
    for name in names:
        if name.lower().endswith(_NATIVE) or "aotinductor" in name.lower():
            raise UnsafeArchiveError(f"a torch.export archive with machine code, {name!r}")
        if name.rpartition("/")[2].lower().startswith(_PICKLED_OBJECT):
            raise UnsafeArchiveError(
                f"a torch.export archive with a Python pickle, {name!r}: "
                "it runs code when it is loaded"
            )
    for name in filter(_GRAPHS.search, names):
        _check_graph(archive, name)


def _check_graph(archive: zipfile.ZipFile, name: str) -> None:
    content = read(archive, name)
    if found := _FILE_CALLS.search(content):
        call = found[1].decode()
        raise UnsafeArchiveError(f"a torch.export archive that calls aten::{call} on files")
    try:
        said = list(_objects(json.loads(content)))
    except (ValueError, RecursionError) as error:
        raise UnsafeArchiveError(
            f"a torch.export archive with a broken {name!r} ({error})"
        ) from error
    for text in (one["expr_str"] for one in said if "expr_str" in one):
        if not _is_arithmetic(str(text)):
            raise UnsafeArchiveError(
                f"a torch.export archive with the size {str(text)[:40]!r}, which is code"
            )


def _is_arithmetic(text: str) -> bool:
    text = _SYMBOL.sub("Symbol(", text)
    names = re.findall(r"[^\W\d]\w*", text)
    return bool(_ARITHMETIC.fullmatch(text)) and all(map(_NAMES.fullmatch, names))


_CODE_LAYERS = ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")


def check_keras(archive: zipfile.ZipFile) -> None:
    """Refuse a Keras archive whose configuration names code.

    Raises:
        UnsafeArchiveError: it does, or has no configuration that can be read.
    """
    try:
        config = json.loads(read(archive, "config.json"))
        for said in _objects(config):
            _check_keras_object(said)
    except (ValueError, KeyError, RecursionError) as error:
        raise UnsafeArchiveError(f"a Keras archive with a broken config.json ({error})") from error


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)


def _check_keras_object(said: dict[str, Any]) -> None:
    kind, module = said.get("class_name"), said.get("module")
    if kind in _CODE_LAYERS or kind in ("function", "__lambda__"):
        raise UnsafeArchiveError(f"a Keras archive with a {kind}, which holds code")
    if isinstance(module, str) and module.split(".")[0] not in ("keras", "builtins"):
        raise UnsafeArchiveError(f"a Keras archive that imports {module}.{kind}")
    if ">" in str(said.get("registered_name")):
        raise UnsafeArchiveError(f"a Keras archive with a class of one's own, {kind}")


_FILE_OPS = (
    b"ReadFile", b"WriteFile", b"PyFunc", b"PyFuncStateless", b"EagerPyFunc", b"MatchingFiles",
    b"PrintV2", b"SaveSlices", b"LMDBReader", b"FixedLengthRecordReaderV2",
    b"TextLineReaderV2", b"WholeFileReaderV2", b"TFRecordReaderV2", b"TextLineDataset",
    b"TFRecordDataset", b"DebugIdentityV2", b"WriteGraphSummary", b"CreateSummaryFileWriter",
)  # fmt: skip


def check_saved_model(archive: zipfile.ZipFile, graph: str) -> None:
    """Refuse a SavedModel whose graph names an operator that reaches files or Python.

    SaveV2 is in every SavedModel, to save itself, and passes; the sandbox stops what it writes.

    Raises:
        UnsafeArchiveError: it does.
    """
    content = read(archive, graph)
    for name in _FILE_OPS:
        # Tag and length before a name: field 2 of a node, its operator.
        if b"\x12" + bytes([len(name)]) + name in content:
            raise UnsafeArchiveError(f"a SavedModel with the operator {name.decode()}")
