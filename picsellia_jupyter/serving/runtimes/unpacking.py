"""A zip archive's files in a folder of their own."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path, PurePosixPath

from picsellia_jupyter.domain.errors import ModelLoadError

MAX_FILES = 10_000
MAX_RATIO = 200
"""How much larger than their archive files may be; weights hardly shrink at all."""


def unpack(archive: Path, into: Path) -> None:
    """Write the files of an archive into an empty folder.

    Raises:
        ModelLoadError: it is broken, too large, or a file in it would lie elsewhere.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [one for one in opened.infolist() if not one.is_dir()]
            _check_size(members, archive.stat().st_size)
            for member in members:
                _write(opened, member, into)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise ModelLoadError(
            f"The archive cannot be unpacked: {error}.", "Zip the folder again, and store that."
        ) from error


def _check_size(members: list[zipfile.ZipInfo], packed: int) -> None:
    size = sum(member.file_size for member in members)
    if len(members) > MAX_FILES or size > packed * MAX_RATIO:
        raise ModelLoadError(
            f"The archive of {packed} bytes holds {len(members)} files of {size} bytes.",
            "Zip the folder of one model alone.",
        )


def _write(opened: zipfile.ZipFile, member: zipfile.ZipInfo, into: Path) -> None:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in member.filename:
        raise ModelLoadError(
            f"The archive holds {member.filename!r}, which would lie outside of its folder.",
            "Zip the folder itself: cd FOLDER && zip -r ../model.zip .",
        )
    target = into / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(member) as source, target.open("xb") as sink:  # links become plain files
        shutil.copyfileobj(source, sink, 1 << 20)
