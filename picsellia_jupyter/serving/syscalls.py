"""Seccomp: what a process may ask of the kernel, by Linux itself and without root."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.serving import forbidden

_NO_NEW_PRIVILEGES = 38
_SET_FILTER, _ACTION_AVAILABLE = 1, 2
_ALL_THREADS = 1

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_DENY, _ABSENT = _ERRNO | errno.EPERM, _ERRNO | errno.ENOSYS

# Berkeley packet filter: load a word, compare or mask it, return a verdict.
_LOAD, _EQUAL, _AT_LEAST, _MASK, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_OTHER_ABI = 0x40000000
"""Numbers from here on are x32's, which would pass by every rule."""

Instruction = tuple[int, int, int, int]


class _Instruction(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_uint16),
        ("if_true", ctypes.c_uint8),
        ("if_false", ctypes.c_uint8),
        ("value", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Instruction)))


@dataclass(frozen=True, slots=True)
class Machine:
    """A processor architecture whose system calls are known."""

    audit: int
    """What the kernel calls it in a filter."""
    column: int
    """Of `forbidden.NUMBERS`."""
    seccomp: int
    """Number of `seccomp` itself."""


_MACHINES = {
    "x86_64": Machine(0xC000003E, 0, 317),
    "aarch64": Machine(0xC00000B7, 1, 277),
}


def machine() -> Machine | None:
    """This one, where it is known and Python is no 32-bit program on it."""
    return _MACHINES.get(platform.machine()) if ctypes.sizeof(ctypes.c_void_p) == 8 else None


def available() -> bool:
    """Whether the kernel filters system calls."""
    here = machine()
    if here is None or platform.system() != "Linux":
        return False
    action = ctypes.c_uint32(_ERRNO)
    try:
        call(here.seccomp, _ACTION_AVAILABLE, 0, ctypes.byref(action))
    except OSError:
        return False
    return True


def call(number: int, *arguments: Any) -> int:
    """Make a system call.

    Raises:
        OSError: the kernel refuses it.
    """
    library = ctypes.CDLL(None, use_errno=True)
    made = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    result = library.syscall(ctypes.c_long(number), *made)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return int(result)


def forbid_new_privileges() -> None:
    """Have no program that this process executes gain rights; the kernel asks for it first.

    Raises:
        OSError: the kernel refuses.
    """
    library = ctypes.CDLL(None, use_errno=True)
    words = (ctypes.c_ulong(one) for one in (1, 0, 0, 0))
    if library.prctl(_NO_NEW_PRIVILEGES, *words) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def restrict(*, cards: bool = False) -> None:
    """Have every thread of this process refused what `forbidden` lists, for ever.

    Args:
        cards: whether it may do what NVIDIA's driver needs.

    Raises:
        OSError: the kernel refuses, or the machine's system calls are not known.
    """
    here = machine()
    if here is None:
        raise OSError(errno.ENOSYS, f"the system calls of {platform.machine()} are not known")
    instructions = program(here, os.getpid(), cards=cards)
    array = (_Instruction * len(instructions))(*(_Instruction(*one) for one in instructions))
    forbid_new_privileges()
    whole = _Program(len(array), array)
    call(here.seccomp, _SET_FILTER, _ALL_THREADS, ctypes.byref(whole))


def program(on: Machine, own_pid: int, *, cards: bool = False) -> list[Instruction]:
    """The filter, run by the kernel before every system call."""
    rules = [
        (_LOAD, 0, 0, _ARCHITECTURE), (_EQUAL, 1, 0, on.audit), (_RETURN, 0, 0, _DENY),
        (_LOAD, 0, 0, _NUMBER), (_AT_LEAST, 0, 1, _OTHER_ABI), (_RETURN, 0, 0, _DENY),
    ]  # fmt: skip
    for name, numbers in forbidden.NUMBERS.items():
        eased = cards and name in forbidden.CARDS
        verdict = _if_all(forbidden.CARDS[name]) if eased else [(_RETURN, 0, 0, _DENY)]
        rules += _of(numbers[on.column], verdict)
    for numbers in forbidden.ABSENT.values():
        rules += _of(numbers[on.column], [(_RETURN, 0, 0, _ABSENT)])
    for rule in forbidden.ARGUMENTS.values():
        rules += _of(rule.numbers[on.column], _allowed_only(rule))
    for numbers in forbidden.OTHER_PROCESSES.values():
        rules += _of(numbers[on.column], _own_only(own_pid))
    return [*rules, (_RETURN, 0, 0, _ALLOW)]


def _of(number: int | None, verdict: Sequence[Instruction]) -> list[Instruction]:
    """A rule for one system call; none where this machine does not have it."""
    return [] if number is None else [(_EQUAL, 0, len(verdict), number), *verdict]


def _allowed_only(rule: forbidden.Argument) -> list[Instruction]:
    matches = _RETURN, 0, 0, _ALLOW if rule.allowed else _DENY
    differs = _RETURN, 0, 0, _DENY if rule.allowed else _ALLOW
    return [
        (_LOAD, 0, 0, _ARGUMENTS + 8 * rule.index),
        (_MASK, 0, 0, rule.mask),
        (_EQUAL, 0, 1, rule.value),
        matches,
        differs,
    ]


def _if_all(conditions: Sequence[forbidden.Argument]) -> list[Instruction]:
    rules: list[Instruction] = []
    for one in conditions:
        rules += [
            (_LOAD, 0, 0, _ARGUMENTS + 8 * one.index),
            (_MASK, 0, 0, one.mask),
            (_EQUAL, 1, 0, one.value),
            (_RETURN, 0, 0, _DENY),
        ]
    return [*rules, (_RETURN, 0, 0, _ALLOW)]


def _own_only(own_pid: int) -> list[Instruction]:
    return [
        (_LOAD, 0, 0, _ARGUMENTS),
        (_EQUAL, 1, 0, own_pid),
        (_EQUAL, 0, 1, 0),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _DENY),
    ]
