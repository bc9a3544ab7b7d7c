"""Who records predictions; `clients.kernel.KernelClient` plays it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from picsellia_jupyter.domain.predictions import PredictedImage


class Recipient(Protocol):
    """One connection to the platform, used by one thread."""

    def monitor(  # noqa: PLR0913 - one keyword a field of a prediction
        self,
        deployment_id: str,
        image: bytes,
        predicted: PredictedImage,
        *,
        content_type: str,
        stored_as: str | None = None,
        at: float | None = None,
        tags: Sequence[str] = (),
        source: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
        again: bool = False,
    ) -> str:
        """Record a prediction; the platform's id of it.

        With `again`, it may have been sent before and its reply be lost.

        Raises:
            ConflictError: it is recorded already.
        """


Connect = Callable[[], Recipient]
"""Makes a new connection, for the thread that calls it."""
