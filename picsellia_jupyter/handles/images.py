"""The images a user's paths name."""

from __future__ import annotations

import glob
import os.path
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from picsellia_jupyter.domain.errors import InvalidImageError, NotFoundError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""What counts as an image in a folder; a file that is named is always tried."""


def expand(paths: Iterable[str | Path]) -> list[Path]:
    """The files that paths, globs and folders name: each once, in the order given.

    A folder stands for the images right in it, sorted by name.

    Raises:
        NotFoundError: a path, glob or folder names no image at all.
    """
    found: dict[Path, None] = {}
    for path in paths:
        for file in _files(Path(path).expanduser()):
            found.setdefault(file)
    return list(found)


def read(path: Path) -> bytes:
    """The bytes of an image file.

    Raises:
        InvalidImageError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidImageError(
            f"{path} cannot be read: {error.strerror or error}.", "Check its path and permissions."
        ) from error


def address(path: Path, beside: Path) -> str:
    """Where a page in the folder `beside` finds a file, as it stands in an `img`."""
    relative = os.path.relpath(path.absolute(), beside.absolute())
    return quote(Path(relative).as_posix(), errors="replace")


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        inside = sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES)
        if not inside:
            raise NotFoundError(
                f"There is no image in the folder {str(path)!r}.",
                f"Images are files that end in {', '.join(sorted(SUFFIXES))}.",
            )
        return inside
    if path.exists():
        return [path]
    matches = (Path(match) for match in glob.glob(str(path), recursive=True))  # noqa: PTH207 - absolute patterns
    files = sorted(match for match in matches if match.is_file())
    if files:
        return files
    folder = path.parent if path.parent.is_dir() else Path()
    raise NotFoundError.named("image", str(path), [str(folder / f.name) for f in folder.iterdir()])
