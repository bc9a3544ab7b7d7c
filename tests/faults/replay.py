"""What a disk holds after a power cut, from the journal that `shim.c` wrote.

Worst case: of a file only what was there when it was last synced, and of a folder only the
names it had then. Otherwise each sector that was written since, and each change of a folder,
survives or not as chance has it.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

OPENED, WRITTEN, SYNCED, CUT, RENAMED, REMOVED, FOLDER = range(1, 8)
_HEAD = struct.Struct("<IIIIq")
_SECTOR = 512


@dataclass(frozen=True, slots=True)
class Step:
    """One change that the program asked for."""

    kind: int
    path: str
    other: str
    data: bytes
    offset: int
    end: int
    """Where the journal stood after it."""


def steps(journal: Path) -> Iterator[Step]:
    """The changes of a journal, in order."""
    raw, at = journal.read_bytes(), 0
    while at + _HEAD.size <= len(raw):
        kind, path, other, size, offset = _HEAD.unpack_from(raw, at)
        end = at + _HEAD.size + path + other + size
        if end > len(raw):
            return
        at += _HEAD.size
        yield Step(
            kind,
            raw[at : at + path].decode(),
            raw[at + path : at + path + other].decode(),
            raw[at + path + other : end],
            offset,
            end,
        )
        at = end


@dataclass
class _File:
    durable: bytearray = field(default_factory=bytearray)
    live: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes] | int] = field(default_factory=list)
    """Writes (offset, bytes) and cuts (size) since the last sync."""

    def write(self, offset: int, data: bytes) -> None:
        _put(self.live, offset, data)
        self.pending.append((offset, data))

    def cut(self, size: int) -> None:
        _cut(self.live, size)
        self.pending.append(size)

    def sync(self) -> None:
        self.durable = bytearray(self.live)
        self.pending.clear()

    def after_power_cut(self, chance: random.Random | None) -> bytes:
        left = bytearray(self.durable)
        for change in self.pending if chance else []:
            if isinstance(change, int):
                if chance.random() < 0.5:
                    _cut(left, change)
                continue
            offset, data = change
            for at in range(0, len(data), _SECTOR):
                if chance.random() < 0.5:
                    _put(left, offset + at, data[at : at + _SECTOR])
        return bytes(left)


class Disk:
    """A disk that is told every change, and when to make it durable."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._live: dict[str, _File | None] = {}
        """Names with their files; None for a folder."""
        self._durable: dict[str, _File | None] = {}

    def take(self, step: Step) -> None:
        """Do what the program asked for."""
        if step.kind == OPENED:
            self._open(step)
        elif step.kind == WRITTEN:
            self._file(step.path).write(step.offset, step.data)
        elif step.kind == CUT:
            self._file(step.path).cut(step.offset)
        elif step.kind == RENAMED:
            self._live[step.other] = self._live.pop(step.path)
        elif step.kind == REMOVED:
            self._live.pop(step.path, None)
        elif step.kind == FOLDER and step.path != self._root:
            self._live[step.path] = None
        elif step.kind == SYNCED:
            self._sync(step.path)

    def lose_power(self, into: Path, chance: random.Random | None = None) -> None:
        """Write what is left into an empty folder; by chance, or the worst where none is given."""
        names = dict(self._durable)
        for folder in {str(PurePosixPath(name).parent) for name in (*self._live, *names)}:
            if chance and chance.random() < 0.5:
                self._settle(names, folder)
        for name in sorted(names):
            target = into / PurePosixPath(name).relative_to(self._root)
            kept = names[name]
            if not target.parent.is_dir():
                continue  # its folder's own name was lost
            if kept is None:
                target.mkdir()
            else:
                target.write_bytes(kept.after_power_cut(chance))

    def _open(self, step: Step) -> None:
        kept = self._live.get(step.path)
        if kept is None:
            self._live[step.path] = _File()
        elif step.offset:
            kept.cut(0)

    def _sync(self, path: str) -> None:
        kept = self._live.get(path)
        if kept is not None:
            kept.sync()
        else:
            self._settle(self._durable, path)

    def _settle(self, names: dict[str, _File | None], folder: str) -> None:
        """Give a folder the names that it has for the program."""
        for name in [name for name in names if str(PurePosixPath(name).parent) == folder]:
            del names[name]
        names.update(
            {n: kept for n, kept in self._live.items() if str(PurePosixPath(n).parent) == folder}
        )

    def _file(self, path: str) -> _File:
        kept = self._live[path]
        assert kept is not None
        return kept


def _put(into: bytearray, offset: int, data: bytes) -> None:
    if len(into) < offset:
        into.extend(bytes(offset - len(into)))
    into[offset : offset + len(data)] = data


def _cut(kept: bytearray, size: int) -> None:
    if size <= len(kept):
        del kept[size:]
    else:
        kept.extend(bytes(size - len(kept)))
