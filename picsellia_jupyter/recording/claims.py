"""Who owns a file: one process at a time, for as long as it lives."""

from __future__ import annotations

import contextlib
import os
import weakref
from pathlib import Path


class Claim:
    """An exclusive hold on a file, by a lock beside it that the system takes back.

    A process that is forked off the owner does not hold it: it may outlive the owner.
    """

    def __init__(self, lock: Path, descriptor: int) -> None:
        """Take over a locked descriptor; `claim` makes one."""
        self._lock = lock
        self._descriptor: int | None = descriptor
        own = weakref.WeakMethod(self._forget)
        os.register_at_fork(after_in_child=lambda: (of := own()) and of())

    def let_go(self, *, remove: bool = False) -> None:
        """Give it up.

        Args:
            remove: whether the lock goes too, because its file is gone.
        """
        if remove:
            self._lock.unlink(missing_ok=True)
        self._forget()

    def _forget(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def claim(path: Path) -> Claim | None:
    """Claim a file, which need not be there yet; None where another owner lives.

    Raises:
        OSError: its lock cannot be made.
    """
    lock = path.with_suffix(".lock")
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | _NO_LINK, 0o600)
    if locked(descriptor) and is_at(lock, descriptor):
        return Claim(lock, descriptor)
    os.close(descriptor)
    return None


_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


def is_at(lock: Path, descriptor: int) -> bool:
    """Whether the file that we have open is the one that others would find."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(lock.stat(), os.fstat(descriptor))
    return False


def locked(descriptor: int) -> bool:
    """Whether a file is ours until it is closed; the system takes it back if we are killed."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
