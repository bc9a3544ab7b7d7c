"""What waits on this machine to be recorded, in words."""

from __future__ import annotations

import time
from collections.abc import Sequence

from picsellia_jupyter.domain.spools import SpoolDepth, spelt_age

_MOST = 20
"""Reasons that are shown of one deployment."""


def spools_text(found: Sequence[SpoolDepth]) -> str:
    """A line for each deployment, and one for each prediction that is set aside."""
    if not found:
        return "No prediction waits on this machine."
    return "\n".join(line for one in found for line in _lines(one))


def _lines(one: SpoolDepth) -> list[str]:
    said = [f"{one.waiting} to be recorded", f"{len(one.refused)} set aside"]
    said.append(f"{one.size / 2**20:.1f} MiB")
    if one.oldest is not None:
        said.append(f"the oldest of {spelt_age(time.time() - one.oldest)} ago")
    if one.in_use:
        said.append(f"{one.in_use} in use by running programs, which alone know what is in them")
    lines = [f"{one.deployment_id}: {', '.join(said)}"]
    lines += [f"  {mine}: {why}" for mine, why in one.refused[:_MOST]]
    if len(one.refused) > _MOST:
        lines.append(f"  and {len(one.refused) - _MOST} more (--json shows all)")
    return lines
