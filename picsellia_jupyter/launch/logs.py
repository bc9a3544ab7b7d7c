"""What serving kernels of this machine wrote; their logs outlive them."""

from __future__ import annotations

import re
from pathlib import Path

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.places import LOCAL

FOLDER = Path("cache", "logs")
"""Below the data directory."""
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def tail(home: Path, record: DeploymentRecord, lines: int) -> tuple[str, ...]:
    """The last lines of the serving kernel that a deployment has, or had last.

    Args:
        home: the data directory.
        record: the deployment.
        lines: at most so many.

    Raises:
        NotFoundError: it never had one, or its log is not on this machine.
    """
    kernel = record.serving
    if kernel is None:
        raise NotFoundError(
            f"{record.name!r} has no serving kernel, and so no log.",
            f"Serve it with: %deploy {record.model_title} --on local --name {record.name}",
        )
    name = re.sub(r"[^0-9A-Za-z_-]", "-", kernel.kernel_id)[:64]
    try:
        text = (home / FOLDER / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    except OSError:
        raise NotFoundError(
            f"The log of {record.name!r} is not on this machine.", _remedy(kernel.place)
        ) from None
    return tuple(_COLOURS.sub("", text).splitlines()[-lines:])


def _remedy(place: str) -> str:
    if place == LOCAL:
        return "Its kernel has just started, or another user of this machine started it."
    return f"It is served at {place}: look into the folder {FOLDER.as_posix()} there."
