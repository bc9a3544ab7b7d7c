"""A kernel that was started anew serves its deployment again, unless another one does."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from picsellia_jupyter.domain.errors import (
    ConflictError,
    NotFoundError,
    PicselliaJupyterError,
    PlatformUnreachableError,
)
from picsellia_jupyter.serving.status import Status

RETRY_S = 2.0

_log = logging.getLogger(__name__)


class Attachable(Protocol):
    """What can be attached: the kernel's service."""

    @property
    def status(self) -> Status:
        """How it is now."""

    def attach(self, deployment_id: str) -> None:
        """Serve this deployment from now on."""


def attach_again(
    service: Attachable,
    deployment_id: str,
    attached: Callable[[str], None],
    leave: Callable[[str], None],
    *,
    retry_s: float = RETRY_S,
) -> None:
    """Attach a prepared service to what its kernel served before.

    Args:
        service: prepared, or failed to.
        deployment_id: what was served.
        attached: called once it is attached.
        leave: called with the reason where the deployment is gone, or another's by now.
        retry_s: seconds between two tries while the platform does not answer.
    """
    while service.status.dry_run is not None and service.status.error is None:
        try:
            service.attach(deployment_id)
        except PlatformUnreachableError as error:
            _log.info("The platform does not take this kernel back yet: %s", error)
            time.sleep(retry_s)
        except (NotFoundError, ConflictError) as error:
            leave(f"The deployment was not taken up again: {error.fact}")
            return
        except PicselliaJupyterError as error:
            _log.warning("The deployment was not taken up again: %s", error)
            return
        else:
            attached(deployment_id)
            return
