"""A model version's files on this machine, with their progress."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from picsellia_jupyter.domain.registry import ModelFile
from picsellia_jupyter.handles.live import LiveOutput


class Storage(Protocol):
    """Where the files come from."""

    def download(
        self, file: ModelFile, folder: Path, listen: Callable[[int, int | None], None] | None
    ) -> Path:
        """Fetch a file; it appears whole or not at all."""


class Output(Protocol):
    """Where it is shown how far they are; may raise, to stop."""

    def show(self, html: str, text: str, *, last: bool = False) -> None:
        """Show it; the last one of a file always."""


def download_all(
    storage: Storage, files: Sequence[ModelFile], folder: Path, output: Output | None = None
) -> list[Path]:
    """Fetch files into a folder, one after the other, and show how far it is.

    Two files of one name do not fit into one folder: the second one, and those after it, go
    into a folder that bears their logical name.
    """
    from picsellia_jupyter.display import transfers

    output = output or LiveOutput()
    rows = [transfers.Transfer(file.filename) for file in files]
    paths: list[Path] = []
    for at, file in enumerate(files):

        def listen(have: int, total: int | None, at: int = at) -> None:
            rows[at] = transfers.Transfer(rows[at].name, have, total)
            output.show(transfers.html(rows), transfers.text(rows))

        path = storage.download(file, _folder_of(file, folder, paths), listen)
        paths.append(path)
        rows[at] = transfers.Transfer(rows[at].name, path.stat().st_size, is_done=True)
        output.show(transfers.html(rows), transfers.text(rows), last=True)
    return paths


def _folder_of(file: ModelFile, folder: Path, taken: Sequence[Path]) -> Path:
    if folder / Path(file.filename).name not in taken:
        return folder
    return folder / re.sub(r"[^\w-]+", "_", file.name)
