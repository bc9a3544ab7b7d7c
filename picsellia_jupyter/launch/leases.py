"""Leases: a file for each serving kernel of this machine, beside its connection file.

A lease says which process serves what, where its front answers, and the job it was given, so
that a kernel that Jupyter starts anew takes up its work. It holds tokens: only its user can
read it, and what another user or a link put in its place is not believed.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from picsellia_jupyter.clients import private_files, processes

PREFIX = "picsellia-serving-"
_KERNEL_ID = re.compile(r"[0-9A-Za-z_-]{1,128}")


@dataclass(frozen=True, slots=True)
class Lease:
    """What a serving kernel of this machine says of itself."""

    kernel_id: str
    pid: int
    started: str
    """When its process began (`processes.started`); with the pid it names one process."""
    address: str
    """Of its front: `http://127.0.0.1:PORT`."""
    front_token: str = field(repr=False)
    """Bearer token of the front's control routes."""
    deployment_id: str | None
    """What it serves; None before it is attached."""
    title: str
    """What it serves, in words."""
    place: str
    idle_s: float | None
    """It ends after so many seconds without a request; None never."""
    version: str
    """Of this package, in the kernel."""
    job: dict[str, Any] = field(repr=False)
    """The `ServingJob` as JSON, for a restart."""
    parent: int = 0
    """Process id of the Jupyter server, or the script, that started the kernel."""
    parent_started: str = ""

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return processes.runs(self.pid, self.started)

    @property
    def owned(self) -> bool:
        """Whether the process that started the kernel runs; it may start the kernel anew."""
        return processes.runs(self.parent, self.parent_started)


def read(kernel_id: str, folder: Path | None = None) -> Lease | None:
    """The lease of a serving kernel that runs.

    Returns:
        None if there is none, it is not this user's own file, or its process is gone.
    """
    lease = left(kernel_id, folder)
    return lease if lease and lease.alive else None


def left(kernel_id: str, folder: Path | None = None) -> Lease | None:
    """The lease of a kernel, also of one whose process is gone; None as in `read`."""
    if not _KERNEL_ID.fullmatch(kernel_id):
        return None
    lease = _load(path_of(kernel_id, folder))
    return lease if lease and lease.kernel_id == kernel_id else None


def all(folder: Path | None = None) -> tuple[Lease, ...]:  # noqa: A001 - reads as leases.all()
    """The leases of all serving kernels of this machine that run, oldest first.

    Those that nobody will take up again are removed on the way: their kernel is gone, and so
    is its connection file or the Jupyter server that could start it anew.
    """
    found = everything(folder)
    for lease in found:
        if is_stale(lease, folder):
            remove(lease, folder)
    return tuple(lease for lease in found if lease.alive)


def everything(folder: Path | None = None) -> tuple[Lease, ...]:
    """All leases, also those whose process is gone, oldest first; removes nothing."""
    return tuple(filter(None, map(_load, files(folder))))


def files(folder: Path | None = None) -> tuple[Path, ...]:
    """The files of all leases, also of those that cannot be read, oldest first."""
    paths = (folder or runtime_folder()).glob(f"{PREFIX}*.json")
    return tuple(sorted(paths, key=_written))


def is_stale(lease: Lease, folder: Path | None = None) -> bool:
    """Whether its process is gone and nobody will start its kernel anew."""
    connection = (folder or runtime_folder()) / f"kernel-{lease.kernel_id}.json"
    return not lease.alive and not (lease.owned and connection.exists())


def write(lease: Lease, folder: Path | None = None) -> None:
    """Write a lease, in place of an older one of the same kernel, all at once.

    Raises:
        OSError: it cannot be written.
        ValueError: the kernel's id cannot be part of a file's name.
    """
    if not _KERNEL_ID.fullmatch(lease.kernel_id):
        raise ValueError(f"{lease.kernel_id!r} is no kernel id.")
    path = path_of(lease.kernel_id, folder)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # No other name beginning like this is ever a lease: `files` looks for `.json`.
    fresh = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    try:
        private_files.create(fresh, dataclasses.asdict(lease))
        fresh.replace(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def remove(lease: Lease, folder: Path | None = None) -> None:
    """Remove a lease, unless another process of the same kernel has written its own since."""
    now = left(lease.kernel_id, folder)
    if now and (now.pid, now.started) == (lease.pid, lease.started):
        with contextlib.suppress(OSError):
            path_of(lease.kernel_id, folder).unlink()


def path_of(kernel_id: str, folder: Path | None = None) -> Path:
    """Where the lease of a kernel lies."""
    return (folder or runtime_folder()) / f"{PREFIX}{kernel_id}.json"


def runtime_folder() -> Path:
    """Where Jupyter keeps the connection files of its kernels."""
    from jupyter_core.paths import jupyter_runtime_dir

    return Path(jupyter_runtime_dir())


def _load(path: Path) -> Lease | None:
    try:
        return _parse(private_files.read(path))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _parse(raw: Mapping[str, Any]) -> Lease:
    return Lease(
        kernel_id=str(raw["kernel_id"]),
        pid=int(raw["pid"]),
        started=str(raw["started"]),
        address=str(raw["address"]),
        front_token=str(raw["front_token"]),
        deployment_id=raw.get("deployment_id") and str(raw["deployment_id"]),
        title=str(raw.get("title") or ""),
        place=str(raw.get("place") or ""),
        idle_s=None if raw.get("idle_s") is None else float(raw["idle_s"]),
        version=str(raw.get("version") or ""),
        job=dict(raw["job"]),
        parent=int(raw.get("parent") or 0),
        parent_started=str(raw.get("parent_started") or ""),
    )


def _written(path: Path) -> float:
    try:
        return path.lstat().st_mtime
    except OSError:  # removed meanwhile
        return 0.0
