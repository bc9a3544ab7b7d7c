"""The images a user's paths name."""

from __future__ import annotations

import difflib
import glob
import os.path
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast
from urllib.parse import quote

from picsellia_jupyter.domain.errors import InvalidImageError, InvalidInputError, NotFoundError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
"""What counts as an image in a folder; a file that is named is always tried."""

_LISTED = 12
"""Names of a folder that are told where none is like what was asked for."""


def expand(paths: Iterable[str | Path | Iterable[str | Path]]) -> list[Path]:
    """The files that paths, globs and folders name: each once, in the order given.

    A folder stands for the images right in it, sorted by name.

    Raises:
        InvalidInputError: something is neither a path nor a list of paths, such as pixels.
        NotFoundError: a path, glob or folder names no image at all.
    """
    found: dict[Path, None] = {}
    for path in _each(paths):
        for file in _files(path.expanduser()):
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


def _each(paths: Iterable[object]) -> Iterator[Path]:
    for given in paths:
        several = isinstance(given, Iterable) and not isinstance(given, (str, Path))
        for one in cast("Iterable[object]", given) if several else (given,):
            if not isinstance(one, (str, Path)):
                raise InvalidInputError(
                    f"Images are given as paths, globs or folders; got {type(given).__name__}.",
                    'Save it first, as with Image.fromarray(pixels).save("photo.png"), '
                    "and give that path.",
                )
            yield _path(one)


def _path(typed: str | Path) -> Path:
    text = str(typed)
    if text.startswith(("http://", "https://", "s3://", "gs://")):
        raise InvalidInputError(
            f"{text.partition('?')[0]!r} is an address; images are read from this machine's files.",
            "Download it first, and give its path.",
        )
    return Path(text)


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
    beside = sorted(one.name for one in folder.iterdir() if _may_be_meant(one))
    near = difflib.get_close_matches(path.name, beside, n=1, cutoff=0.5)
    raise NotFoundError(
        f"There is no image named {str(path)!r}.",
        f"Did you mean {str(folder / near[0])!r}?" if near else _said_to_be_in(folder, beside),
    )


def _said_to_be_in(folder: Path, names: Sequence[str]) -> str:
    if not names:
        return f"There is none in {str(folder.absolute())!r}."
    more = " …" if len(names) > _LISTED else ""
    return f"{str(folder.absolute())!r} has {', '.join(map(repr, names[:_LISTED]))}{more}."


def _may_be_meant(one: Path) -> bool:
    return one.is_dir() or one.suffix.lower() in SUFFIXES
