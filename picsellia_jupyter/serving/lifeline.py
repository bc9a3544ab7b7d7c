"""Ends the model worker when the process that started it is gone."""

from __future__ import annotations

import os
import select
import sys
import threading

_POLL_S = 0.25


def tie_to_parent(parent: int) -> None:
    """End this process as soon as its parent does, however that happens.

    Two signs are watched: the end of standard input, and the parent itself, because a
    child that the parent forked later may hold the other end of standard input open.
    PR_SET_PDEATHSIG is no choice: it fires when the *thread* ends that started us.

    Args:
        parent: the process id it must have.
    """
    if os.getppid() != parent:
        os._exit(0)
    watch = _watch_pidfd if hasattr(os, "pidfd_open") else _watch_by_asking
    threading.Thread(target=watch, args=(parent,), name="lifeline", daemon=True).start()


def _watch_pidfd(parent: int) -> None:
    try:
        process = os.pidfd_open(parent)
    except OSError:  # gone already, or a kernel that cannot
        _watch_by_asking(parent)
        return
    if os.getppid() == parent:  # or the descriptor is of a later process with its number
        watched = select.poll()
        watched.register(sys.stdin.fileno(), select.POLLHUP)
        watched.register(process, select.POLLIN)
        watched.poll()
    os._exit(0)


def _watch_by_asking(parent: int) -> None:
    while os.getppid() == parent:
        ended, _, _ = select.select([sys.stdin.fileno()], [], [], _POLL_S)
        if ended:
            break
    os._exit(0)
