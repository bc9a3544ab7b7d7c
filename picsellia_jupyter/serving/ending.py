"""How a serving kernel ends its own process, for good."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading

from picsellia_jupyter.clients.labserver import own_client
from picsellia_jupyter.domain.errors import PicselliaJupyterError

ASK_S = 8.0
"""A server that is itself being shut down may not answer."""

_log = logging.getLogger(__name__)


def have_deleted(kernel_id: str) -> None:
    """Have the Jupyter server that owns this kernel, if there is one, delete it.

    It starts a kernel anew that just exits.

    Args:
        kernel_id: of this very kernel, as its server knows it.
    """
    asking = threading.Thread(target=_ask, args=(kernel_id,), name="delete", daemon=True)
    asking.start()
    asking.join(ASK_S)


def _ask(kernel_id: str) -> None:
    try:
        client = own_client()
        if client is not None:
            client.delete_kernel(kernel_id)
    except PicselliaJupyterError as error:
        _log.warning("The Jupyter server did not delete this kernel: %s", error)
    except Exception:  # noqa: BLE001 - it ends either way
        _log.exception("The Jupyter server did not delete this kernel")


def end_process(kernel_id: str) -> None:
    """End this process, and have its server delete the kernel; does not return."""
    try:
        have_deleted(kernel_id)
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        # Other threads are under way, and a running cell would hold up a plain exit.
        os._exit(0)
