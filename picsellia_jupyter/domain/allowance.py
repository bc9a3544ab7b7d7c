"""What Picsellia Serving may still use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allowance:
    """MPU of an organization, where the platform meters them."""

    left: float | None
    """MPU that are left; None where there is no limit."""
    estimate: str = ""
    """What one deployment uses, in a sentence; empty where nobody knows."""
