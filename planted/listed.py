"""All faults that are planted."""

from __future__ import annotations

from planted import access, durability, figures, geometry

FAULTS = (*durability.FAULTS, *access.FAULTS, *geometry.FAULTS, *figures.FAULTS)
"""Their names differ."""
