"""Landlock: what a process may open, by Linux itself and without root."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from picsellia_jupyter.serving import syscalls

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

# https://docs.kernel.org/userspace-api/landlock.html
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_FILE = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_MAKE_FIFO, _MAKE_LINK, _REFER, _TRUNCATE, _IOCTL_DEVICE = (
    1 << 10, 1 << 12, 1 << 13, 1 << 14, 1 << 15,
)  # fmt: skip
_OF_A_FILE = _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_READ = _READ_FILE | _READ_DIR
_USE = _READ_FILE | _WRITE_FILE | _IOCTL_DEVICE
_WRITE = (
    _READ | _WRITE_FILE | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_FILE | _MAKE_FIFO
    | _MAKE_LINK | _REFER | _TRUNCATE
)  # fmt: skip
_HANDLED = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
"""All rights there are, by the version of Landlock that they came with."""
_TCP, _SCOPES = 3, 3
_TCP_SINCE, _SCOPES_SINCE = 4, 6


@dataclass(frozen=True, slots=True)
class Paths:
    """What a process may open; whatever else there is may not be."""

    read: tuple[Path, ...] = ()
    """Files, and folders with all in them."""
    use: tuple[Path, ...] = ()
    """Devices, or folders of them: read, written and controlled."""
    write: tuple[Path, ...] = ()
    """Folders in which anything may be made."""


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed", ctypes.c_uint64), ("folder", ctypes.c_int32))


def version() -> int:
    """The version of Landlock that the kernel has; 0 where there is none."""
    try:
        return syscalls.call(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def restrict(paths: Paths) -> None:
    """Have this thread, and all that it starts, open nothing but this, for ever.

    It cannot open TCP connections any more, nor reach processes outside by signals or by
    abstract sockets, where the kernel knows how. Paths that do not exist are left out.

    Raises:
        OSError: the kernel refuses.
    """
    has = version()
    handled = max((rights, _HANDLED[rights]) for rights in _HANDLED if rights <= has)[1]
    rules = _Ruleset(
        handled, _TCP if has >= _TCP_SINCE else 0, _SCOPES if has >= _SCOPES_SINCE else 0
    )
    size = 8 if has < _TCP_SINCE else 16 if has < _SCOPES_SINCE else 24
    ruleset = syscalls.call(_CREATE_RULESET, ctypes.byref(rules), size, 0)
    try:
        for allowed, group in ((_READ, paths.read), (_USE, paths.use), (_WRITE, paths.write)):
            _allow(ruleset, group, allowed & handled)
        syscalls.forbid_new_privileges()
        syscalls.call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, paths: Iterable[Path], rights: int) -> None:
    for path in paths:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            _add(ruleset, opened, rights if path.is_dir() else rights & _OF_A_FILE)
        finally:
            os.close(opened)


def _add(ruleset: int, opened: int, rights: int) -> None:
    beneath = _Beneath(rights, opened)
    syscalls.call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(beneath), 0)
