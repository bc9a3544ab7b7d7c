"""What a process that is forked off a kernel must not keep: the ports the kernel listens on.

A data loader's worker that outlives its kernel would keep them taken, and Jupyter starts a kernel
anew on the ports it had.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys


def let_children_go_without_ports() -> None:
    """Have every process forked from now on close what this one listens on now; Linux only."""
    if sys.platform != "linux":
        return
    listening = _listening()

    def close() -> None:
        for descriptor in listening:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    os.register_at_fork(after_in_child=close)


def _listening() -> list[int]:
    return [int(name) for name in os.listdir("/proc/self/fd") if _listens(int(name))]  # noqa: PTH208


def _listens(descriptor: int) -> bool:
    try:
        with socket.socket(fileno=os.dup(descriptor)) as copy:
            of_network = copy.family in (socket.AF_INET, socket.AF_INET6)
            return of_network and bool(copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except OSError:  # no socket, or closed meanwhile
        return False
