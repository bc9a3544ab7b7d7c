"""A fault: a place in the code, what stands there instead, and the tests that must notice."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


class LostPlaceError(Exception):
    """The code has changed, so that a fault no longer knows where it belongs."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake that somebody could make, and the tests of which one must turn red."""

    name: str
    """What is typed to plant this one alone."""
    mistake: str
    """What goes wrong, in a few words."""
    file: str
    """Path within the repository."""
    old: str
    """What stands there, exactly once."""
    new: str
    tests: tuple[str, ...]
    """Files, or tests of them, as pytest names them."""

    def text_with(self, text: str) -> str:
        """The file's text with the fault in it.

        Raises:
            LostPlaceError: what it replaces does not stand there exactly once.
        """
        times = text.count(self.old)
        if times != 1:
            raise LostPlaceError(
                f"{self.name}: its place in {self.file} is there {times} times, not once. "
                f"Say in planted/ what stands there now:\n{self.old}"
            )
        return text.replace(self.old, self.new)


@contextlib.contextmanager
def planted(fault: Fault, root: Path) -> Iterator[None]:
    """Have a fault in a copy of the repository.

    Raises:
        LostPlaceError: the copy's code has no place for it.
    """
    path = root / fault.file
    sound = path.read_text(encoding="utf-8")
    _write(path, fault.text_with(sound))
    try:
        yield
    finally:
        _write(path, sound)


def _write(path: Path, text: str) -> None:
    """Write a module so that Python compiles it anew: it compares length and whole seconds."""
    path.write_text(text, encoding="utf-8")
    for stale in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        stale.unlink()
    now = time.time()
    os.utime(path, (now, now))
