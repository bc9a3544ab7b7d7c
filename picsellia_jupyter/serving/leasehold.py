"""This kernel's own lease: written when it serves, removed when it ends for good."""

from __future__ import annotations

import dataclasses
import logging
import os
from pathlib import Path
from typing import Any

from picsellia_jupyter.clients import processes
from picsellia_jupyter.domain.deployments import ServingJob
from picsellia_jupyter.launch import leases
from picsellia_jupyter.launch.leases import Lease
from picsellia_jupyter.serving import release
from picsellia_jupyter.serving.watch import running_kernel

_log = logging.getLogger(__name__)


class Leasehold:
    """Keeps the lease of this process in step with what it serves.

    Without a lease a kernel serves all the same; it is only not found, and not started anew.
    """

    def __init__(self, job: ServingJob, raw: dict[str, Any], address: str) -> None:
        """Write the lease.

        Args:
            job: what is served.
            raw: the same as JSON, for a restart.
            address: of the front.
        """
        self._folder = connection_folder()
        self._lease = Lease(
            kernel_id=job.kernel_id,
            pid=os.getpid(),
            started=processes.started(os.getpid()) or "",
            address=address,
            front_token=job.front_token,
            deployment_id=None,
            title="",
            place=job.place,
            idle_s=job.idle_s,
            version=release.version(),
            job=dict(raw),
            parent=os.getppid(),
            parent_started=processes.started(os.getppid()) or "",
        )
        if job.resumes:
            # Killed once more before it serves, it must still know what to take up.
            self._lease = dataclasses.replace(self._lease, deployment_id=job.resumes)
        self._write()

    def serves(self, deployment_id: str, title: str) -> None:
        """Note what it is attached to now."""
        self._lease = dataclasses.replace(self._lease, deployment_id=deployment_id, title=title)
        self._write()

    def goes_over_to(self, version_id: str, title: str) -> None:
        """Note another champion: started anew, this kernel begins with it."""
        job = {**self._lease.job, "model_version_id": version_id}
        self._lease = dataclasses.replace(self._lease, title=title, job=job)
        self._write()

    def end(self) -> None:
        """Remove the lease."""
        leases.remove(self._lease, self._folder)

    def _write(self) -> None:
        try:
            leases.write(self._lease, self._folder)
        except (OSError, ValueError) as error:
            _log.warning("This kernel has no lease: %s", error)


def job_to_resume(kernel_id: str) -> dict[str, Any] | None:
    """The job that an earlier process of this kernel left unfinished, or None."""
    lease = leases.left(kernel_id, connection_folder())
    if lease is None or lease.alive or not lease.deployment_id:
        return None
    return {**lease.job, "resumes": lease.deployment_id}


def connection_folder() -> Path:
    """Where the connection file of this kernel lies, else where Jupyter puts those of others."""
    app = _kernel_app()
    path = Path(app.abs_connection_file) if app else None
    return path.parent if path else leases.runtime_folder()


def own_kernel_id() -> str:
    """The id of this kernel, as its Jupyter server knows it; empty outside of one."""
    app = _kernel_app()
    return Path(app.abs_connection_file).stem.removeprefix("kernel-") if app else ""


def _kernel_app() -> Any | None:
    from ipykernel.kernelapp import IPKernelApp

    return IPKernelApp.instance() if running_kernel() is not None else None
