"""MPU: what a local platform meters; a cloud has no API for it."""

from __future__ import annotations

from typing import Any

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.domain.allowance import Allowance
from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.usage import Usage, checked_quota, checked_rate, estimate
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.usage import usage_from_json

_PATH = "/api/local/usage"


class Metered(SdkConnection):
    """What was used of MPU, and what may be."""

    @sdk.translated
    def usage(self) -> Usage:
        """What was used, what is left, and by whom it was used.

        Raises:
            PlatformError: this platform does not tell.
        """
        known = self._known_usage()
        if known is None:
            raise PlatformError(
                "Picsellia's API does not tell what was used of MPU.", f"See {self.pages.usage}"
            )
        return known

    @sdk.translated
    def set_quota(self, mpu: float | None) -> Usage:
        """Set how many MPU there are in all; None for no limit.

        Raises:
            InvalidInputError: it is none that there can be.
            PlatformError: this platform lets nobody set it.
        """
        return self._change({"quota": None if mpu is None else checked_quota(mpu)})

    @sdk.translated
    def set_rate(self, mpu_an_hour: float) -> Usage:
        """Set what an hour of serving costs.

        Raises:
            InvalidInputError: it is none that there can be.
            PlatformError: this platform lets nobody set it.
        """
        return self._change({"rate": checked_rate(mpu_an_hour)})

    @sdk.translated
    def allowance(self) -> Allowance | None:
        """MPU that are left for Picsellia Serving; None where the platform meters none."""
        known = self._known_usage()
        if known is None:
            return None
        return Allowance(known.free, estimate(known.rate), known.quota)

    @sdk.translated
    def mpu(self) -> Json | None:
        """MPU `used` and `quota` (None without one); None where nothing is metered."""
        known = self._known_usage()
        return {"used": known.used, "quota": known.quota} if known else None

    @property
    def _meters(self) -> bool:
        return "usage" in self.capabilities

    def _change(self, change: Json) -> Usage:
        if not self._meters:
            raise PlatformError(
                "The quota and the rate are set on the local platform alone.",
                f"See {self.pages.usage}",
            )
        return usage_from_json(self._send("patch", _PATH, change))

    def _known_usage(self) -> Usage | None:
        said: dict[str, Any] = self._get(_PATH) if self._meters else {}
        return usage_from_json(said) if said.get("metered") else None
