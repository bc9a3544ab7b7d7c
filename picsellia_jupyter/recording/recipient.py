"""Who records predictions; `clients.kernel.KernelClient` plays it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from picsellia_jupyter.recording.records import Record


class Recipient(Protocol):
    """One connection to the platform, used by one thread."""

    def monitor(self, deployment_id: str, record: Record, *, again: bool = False) -> str:
        """Record a prediction; the platform's id of it.

        With `again`, it may have been sent before and its reply be lost.

        Raises:
            ConflictError: it is recorded already.
        """


Connect = Callable[[], Recipient]
"""Makes a new connection, for the thread that calls it."""
