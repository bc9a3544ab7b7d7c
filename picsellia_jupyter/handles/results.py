"""Predicted images as sequences that take little memory: on disk, or chosen from others."""

from __future__ import annotations

import json
import tempfile
import threading
import weakref
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import overload

from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.wire.resources import reply_from_json, reply_to_json

IN_MEMORY = 4 << 20
"""Bytes that are held before a file is made."""


class StoredResults(Sequence[PredictedImage]):
    """What a serving kernel answered, one JSON line an image, read again when it is asked for.

    The file has no name where the system allows that, so that nothing stays behind however
    the process ends. Coordinates are whole pixels, as they came. Thread-safe.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """Begin an empty one.

        Args:
            folder: where the file is made; the system's for temporary files without one.
        """
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=_made(folder))  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._ends = array("Q", [0])
        self._lock = threading.Lock()

    def append(self, image: PredictedImage) -> None:
        """Keep one more."""
        line = json.dumps(reply_to_json(image, monitored=False)).encode() + b"\n"
        with self._lock:
            self._file.seek(self._ends[-1])
            self._file.write(line)
            self._ends.append(self._ends[-1] + len(line))

    def __len__(self) -> int:
        return len(self._ends) - 1

    @overload
    def __getitem__(self, index: int) -> PredictedImage: ...

    @overload
    def __getitem__(self, index: slice) -> Selection: ...

    def __getitem__(self, index: int | slice) -> PredictedImage | Selection:
        if isinstance(index, slice):
            return Selection(self, range(len(self))[index])
        place = range(len(self))[index]
        with self._lock:
            self._file.seek(self._ends[place])
            line = self._file.read(self._ends[place + 1] - self._ends[place])
        raw = json.loads(line)
        return reply_from_json(raw, source=raw["filename"])


class Selection(Sequence[PredictedImage]):
    """Some of the images of another sequence, perhaps with fewer shapes."""

    def __init__(
        self,
        images: Sequence[PredictedImage],
        rows: Sequence[int],
        change: Callable[[PredictedImage], PredictedImage] | None = None,
    ) -> None:
        self._images = images
        self._rows = rows if isinstance(rows, range) else array("Q", rows)
        self._change = change

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> PredictedImage: ...

    @overload
    def __getitem__(self, index: slice) -> Selection: ...

    def __getitem__(self, index: int | slice) -> PredictedImage | Selection:
        if isinstance(index, slice):
            return Selection(self._images, self._rows[index], self._change)
        image = self._images[self._rows[index]]
        return self._change(image) if self._change else image


def _made(folder: Path | None) -> str | None:
    """The folder, where it can be had."""
    if folder is None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return None
    return str(folder)
