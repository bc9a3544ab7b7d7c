"""How a serving kernel ends its own process, for good."""

from __future__ import annotations

import contextlib
import logging
import os
import sys

from picsellia_jupyter.clients.labserver import own_client
from picsellia_jupyter.domain.errors import PicselliaJupyterError

_log = logging.getLogger(__name__)


def end_process(kernel_id: str) -> None:
    """End this process; does not return.

    A Jupyter server starts a kernel anew that just exits. So the server that owns this one, if
    there is one, is asked to delete it.

    Args:
        kernel_id: of this very kernel, as its server knows it.
    """
    try:
        client = own_client()
        if client is not None:
            client.delete_kernel(kernel_id)
    except PicselliaJupyterError as error:
        _log.warning("The Jupyter server did not delete this kernel: %s", error)
    except Exception:  # noqa: BLE001 - it ends either way
        _log.exception("The Jupyter server did not delete this kernel")
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        # Other threads are under way, and a running cell would hold up a plain exit.
        os._exit(0)
