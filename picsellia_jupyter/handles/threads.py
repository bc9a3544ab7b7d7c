"""Threads that speak for the cell or the click that began them."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable


def begin(target: Callable[[], None], name: str) -> threading.Thread:
    """Begin a daemon thread in the context of whoever asks.

    A kernel looks there for the message that it answers, and else takes the last one that came.
    Since ipykernel 7.4 a page's messages to a widget go to the subshell of the answered message:
    were that one of the page's own, short-lived ones, clicks would be lost as soon as it ends.
    """
    run = contextvars.copy_context().run
    thread = threading.Thread(target=run, args=(target,), name=name, daemon=True)
    thread.start()
    return thread
