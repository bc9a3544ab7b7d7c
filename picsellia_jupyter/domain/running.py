"""What a serving kernel says of the model that it runs, when it is asked."""

from __future__ import annotations

from dataclasses import dataclass

from picsellia_jupyter.domain.idling import idle_in_words

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServedNow:
    """How a serving kernel is reached from here, at one moment."""

    address: str = ""
    """Its loopback address on this machine."""
    running: Running | None = None
    """None where it does not say."""
    trouble: str = ""
    """Why it cannot be reached."""


@dataclass(frozen=True, slots=True)
class Running:
    """A model that is served, at one moment."""

    device: str = ""
    """`cpu` or `cuda:0`; empty before the model is loaded."""
    precision: str = ""
    """`fp32`, `fp16` or `bf16`."""
    memory_bytes: int = 0
    """Of one worker with the model: on its device, or resident where that is the CPU."""
    workers: int = 0
    idle_s: float | None = None
    """It ends after so many seconds without a request; None never."""
    idle_left_s: float | None = None
    """Until then, as it is now."""
    relayed: bool = False
    """Whether it reaches its platform only through a notebook that is connected."""
    predicted: int | None = None
    """Images that it predicted on since it began; None where it does not count them."""
    failed: int = 0
    """Those that it could not predict on."""
    recorded: int = 0
    """Predictions that the platform has acknowledged."""
    latency_s: float = 0.0
    """Of all that it predicted, together."""

    def device_in_words(self) -> str:
        """`cuda:0 (fp16), 512 MiB`, `cpu (fp32), 2 workers of 210 MiB`."""
        if not self.device:
            return ""
        each = f"{self.memory_bytes / _MIB:,.0f} MiB" if self.memory_bytes else ""
        if self.workers > 1:
            each = f"{self.workers} workers of {each}" if each else f"{self.workers} workers"
        return ", ".join(filter(None, [f"{self.device} ({self.precision})", each]))

    def end_in_words(self) -> str:
        """When it ends by itself."""
        if self.idle_s is None:
            return "not by itself"
        left = "" if self.idle_left_s is None else f", {_from_now(self.idle_left_s)}"
        return f"after {idle_in_words(self.idle_s)} without a request{left}"


def _from_now(seconds: float) -> str:
    """`100 min from now`, `12 h from now`."""
    minutes = seconds / 60
    return f"{minutes:.0f} min from now" if minutes < 120 else f"{minutes / 60:.0f} h from now"
