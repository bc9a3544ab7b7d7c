"""What our Jupyter server extension leaves for the kernels of its server: a secret, in a file.

The file bears the server's process id in its name, and its process's start time inside.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from picsellia_jupyter.clients import private_files, processes

SECRET_HEADER = "X-Picsellia-Secret"  # noqa: S105 - the name of a header
_PREFIX = "picsellia-server-"


@dataclass(frozen=True, slots=True)
class Introduction:
    """What an extension tells the kernels of its server."""

    pid: int
    started: str
    """When the server's process began; with the pid it names one process."""
    secret: str = field(repr=False)


def read(pid: int, folder: Path | None = None) -> Introduction | None:
    """What the extension in a server's process has left; None if that process is gone."""
    try:
        raw = private_files.read(path_of(pid, folder))
        told = Introduction(int(raw["pid"]), str(raw["started"]), str(raw["secret"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if told.pid == pid and processes.runs(pid, told.started) else None


def write(pid: int, secret: str, folder: Path) -> Path:
    """Leave a secret for the kernels of a server; where it lies.

    What servers that are gone have left is removed on the way.

    Raises:
        OSError: it cannot be written.
    """
    for other, path in _all(folder).items():
        if other == pid or read(other, folder) is None:
            path.unlink(missing_ok=True)
    path = path_of(pid, folder)
    content = {"pid": pid, "started": processes.started(pid) or "", "secret": secret}
    private_files.create(path, content)
    return path


def path_of(pid: int, folder: Path | None = None) -> Path:
    """Where the extension in a server's process leaves it."""
    return (folder or runtime_folder()) / f"{_PREFIX}{pid}.json"


def runtime_folder() -> Path:
    """Where Jupyter servers tell of themselves."""
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir())


def _all(folder: Path) -> dict[int, Path]:
    named = {path.stem.removeprefix(_PREFIX): path for path in folder.glob(f"{_PREFIX}*.json")}
    return {int(pid): path for pid, path in named.items() if pid.isdecimal()}
