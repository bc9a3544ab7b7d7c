"""Ends a serving kernel that nobody asks, and shows Jupyter that a busy one is in use."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

from picsellia_jupyter.domain.idling import idle_in_words
from picsellia_jupyter.serving.activity import Activity

SIGN_S = 30.0
"""At most one sign of life in so many seconds."""
MESSAGE_TYPE = "picsellia_serving_in_use"

_log = logging.getLogger(__name__)


class Watch:
    """Looks every now and then how long ago the model was asked for something."""

    def __init__(
        self,
        activity: Activity,
        on_idle: Callable[[str], None],
        sign: Callable[[], None],
        *,
        every_s: float = SIGN_S,
    ) -> None:
        """Begin to watch.

        Args:
            activity: what is watched.
            on_idle: called once, with the reason, when nobody asked for too long.
            sign: gives a sign of life; called where there were requests since the last one.
            every_s: seconds between two looks.
        """
        self._activity = activity
        self._on_idle = on_idle
        self._sign = sign
        self._every_s = every_s
        self._stopping = threading.Event()
        threading.Thread(target=self._run, name="watch", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()

    def _run(self) -> None:
        seen = 0
        while True:
            left_s = self._activity.left_s
            if left_s == 0.0:
                self._on_idle(idle_reason(self._activity.idle_s))
                return
            wait_s = self._every_s if left_s is None else min(self._every_s, left_s + 0.01)
            if self._stopping.wait(wait_s):
                return
            if self._activity.requests != seen:
                seen = self._activity.requests
                self._sign()


def idle_reason(idle_s: float | None) -> str:
    """Why a kernel ended by itself, and what to do about it."""
    return f"It had no request for {idle_in_words(idle_s)} and ended; --idle sets another time"


def sign_of_life() -> None:
    """Tell the Jupyter server that this kernel is in use, where it runs in one.

    A server that culls idle kernels goes by their messages, and what comes to the front is
    none. Any type of message counts; no front end knows this one, so nothing is shown.
    """
    kernel = running_kernel()
    if kernel is None:
        return
    try:
        kernel.session.send(kernel.iopub_socket, MESSAGE_TYPE, {}, parent={})
    except Exception:  # noqa: BLE001 - it is busy all the same, and the next sign may be heard
        _log.warning("Jupyter could not be told that this kernel is in use", exc_info=True)


def running_kernel() -> Any | None:
    """The ipykernel of this process; None where it is none."""
    from ipykernel.kernelapp import IPKernelApp

    return IPKernelApp.instance().kernel if IPKernelApp.initialized() else None
