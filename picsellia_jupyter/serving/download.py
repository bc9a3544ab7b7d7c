"""A model version's files on this machine, fetched once."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from picsellia_jupyter.domain.errors import NotFoundError, PlatformError
from picsellia_jupyter.domain.registry import ModelFile, ModelVersion
from picsellia_jupyter.serving.manifest import FILE_NAME
from picsellia_jupyter.serving.platform import Platform

_DONE = "complete.json"


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """Where a model's files lie."""

    model: Path
    manifest: Path | None
    """Its serving.json; None where the version has none."""


def fetch(
    platform: Platform,
    version: ModelVersion,
    model_file: str,
    cache: Path,
    *,
    on_download: Callable[[str], None],
) -> ModelFiles:
    """Have a version's model file and its serving.json here.

    Args:
        platform: where they come from.
        version: the model version.
        model_file: name of the file to serve, such as `model-latest`.
        cache: folder of downloaded files; complete ones are not fetched again.
        on_download: told the name of every file that is fetched.

    Raises:
        NotFoundError: the version has no file of that name.
    """
    files = platform.files(version)
    wanted = _named(files, model_file)
    if wanted is None:
        raise NotFoundError.named(
            "file of " + version.title, model_file, [file.name for file in files],
            remedy=f"Store one with version.store({model_file!r}, path).",
        )  # fmt: skip
    folder = cache / _folder_name(version.id)
    said = _named(files, FILE_NAME)
    return ModelFiles(
        model=_fetch(platform, wanted, folder, on_download),
        manifest=_fetch(platform, said, folder, on_download) if said else None,
    )


def _named(files: Sequence[ModelFile], name: str) -> ModelFile | None:
    return next((file for file in files if file.name == name), None)


def _fetch(
    platform: Platform, file: ModelFile, version: Path, on_download: Callable[[str], None]
) -> Path:
    # A folder for each file: two files of a version may bear the same file name.
    folder = version / _folder_name(file.id)
    here = _complete(folder)
    if here is None:
        on_download(file.name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        here = platform.download(file, folder)
        _mark_complete(folder, here)
    return here


def _complete(folder: Path) -> Path | None:
    """The file in a folder that was marked complete and has kept its size."""
    try:
        said = json.loads((folder / _DONE).read_text(encoding="utf-8"))
        path = folder / Path(said["file"]).name
        return path if path.stat().st_size == said["size"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _mark_complete(folder: Path, path: Path) -> None:
    mark = folder / _DONE
    part = mark.with_name(f"{_DONE}.{os.getpid()}.part")
    part.write_text(json.dumps({"file": path.name, "size": path.stat().st_size}), encoding="utf-8")
    part.replace(mark)


def _folder_name(identifier: str) -> str:
    if not re.fullmatch(r"[0-9A-Za-z-]{1,64}", identifier):
        raise PlatformError(
            f"The platform's id {identifier!r} is no UUID.", "Check the platform's address."
        )
    return identifier
