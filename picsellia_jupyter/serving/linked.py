"""Packages that are installed as links to where they are kept, as uv and Nix can do it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

_NAMES = ("site-packages", "dist-packages")
_DEEPEST = 6


def targets(folders: Iterable[Path]) -> list[Path]:
    """Where what is linked in folders of packages lies.

    An entry may be a link to a package elsewhere, or a real folder whose files are links. Of
    folders without links no more than the second level is looked at, since they have thousands.

    Args:
        folders: of Python's search path; those that are no folders of packages are left out.
    """
    found: dict[Path, None] = {}
    for folder in folders:
        if folder.name not in _NAMES:
            continue
        for entry in _entries(folder):
            if entry.is_symlink():
                found[Path(os.path.realpath(entry.path))] = None
            elif entry.is_dir():
                for target in _in_package(Path(entry.path), 1):
                    if not any(parent in found for parent in (target, *target.parents)):
                        found[target] = None
    return list(found)


def _in_package(folder: Path, depth: int) -> Iterator[Path]:
    """The folders, or single files, that the links in a package lead to."""
    entries = _entries(folder)
    links = [entry for entry in entries if entry.is_symlink()]
    for link in links:
        target = Path(os.path.realpath(link.path))
        # The whole folder where it is this one's double: others of its files are beneath it.
        yield target.parent if target.parent.name == folder.name else target
    has_files = any(entry.is_file(follow_symlinks=False) for entry in entries)
    if depth < _DEEPEST and (links or not has_files):
        # Several packages may share a folder, each with links to its own place.
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _in_package(Path(entry.path), depth + 1)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []
