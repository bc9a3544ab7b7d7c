"""How serving kernels are, where their platform takes no heartbeats: they are asked themselves."""

from __future__ import annotations

import httpx

from picsellia_jupyter.clients.front import Front
from picsellia_jupyter.domain.deployments import Heartbeat, ServingKernel, ServingState
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.launch import leases
from picsellia_jupyter.launch.leases import Lease

LOOK_S = 2.0


def kernel_here(host: str, deployment_id: str) -> Heartbeat | None:
    """The serving kernel of this machine that serves a deployment of a platform.

    Returns:
        How it is; the last one that began, where there are several. None where there is none.
    """
    serving = [
        lease
        for lease in leases.all()
        if lease.deployment_id == deployment_id and lease.job.get("host") == host
    ]
    return _asked(serving[-1]) if serving else None


def _asked(lease: Lease) -> Heartbeat:
    kernel = ServingKernel(lease.kernel_id, lease.address, lease.place, lease.pid)
    front = Front(lease.address, lease.front_token, timeout_s=LOOK_S)
    try:
        said = front.status()
        return Heartbeat(ServingState(said["state"]), kernel, str(said.get("detail") or ""))
    except (httpx.TransportError, PicselliaJupyterError, KeyError, ValueError) as error:
        return Heartbeat(
            ServingState.UNHEALTHY, kernel, f"It does not answer ({type(error).__name__})."
        )
    finally:
        front.close()
