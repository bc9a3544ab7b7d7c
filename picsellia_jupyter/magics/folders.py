"""What a folder has that can be predicted on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from picsellia_jupyter.handles.images import SUFFIXES

MOST = 5_000
"""Entries that are looked at."""


def images_and_folders(_kind: str, folder: str) -> Sequence[str]:
    """The images right in a folder, and its folders with a `/` at their end; sorted.

    Raises:
        OSError: it cannot be read.
    """
    with os.scandir(Path(folder).expanduser()) as entries:
        names = [
            f"{entry.name}/" if entry.is_dir() else entry.name for entry in islice(entries, MOST)
        ]
    return sorted(name for name in names if name.endswith("/") or _is_image(name))


def _is_image(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES
