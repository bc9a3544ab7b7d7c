"""JSON files that one user's programs leave for each other: readable by that user alone."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)


def read(path: Path) -> Any:
    """What a file holds.

    Raises:
        OSError: there is none, it is a link, or others than its user may read or have made it.
        ValueError: it is no JSON.
    """
    descriptor = os.open(path, os.O_RDONLY | _NO_LINK)
    with os.fdopen(descriptor, encoding="utf-8") as stream:
        if not _is_ours(os.fstat(stream.fileno())):
            raise PermissionError(f"{path} is not this user's alone.")
        return json.load(stream)


def create(path: Path, content: Any) -> None:
    """Write a file that must not be there yet.

    Raises:
        OSError: it is there, or cannot be written; then nothing is left of it.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK
    descriptor = os.open(path, flags, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _is_ours(found: os.stat_result) -> bool:
    """Whether it is a plain file that this user alone can write and read."""
    if not stat.S_ISREG(found.st_mode):
        return False
    if not hasattr(os, "getuid"):
        return True
    return found.st_uid == os.getuid() and not found.st_mode & 0o077
