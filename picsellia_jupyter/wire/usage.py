"""MPU as JSON: the reply of `GET /api/local/usage`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from picsellia_jupyter.domain.usage import Spending, Usage


def usage_from_json(raw: Mapping[str, Any]) -> Usage:
    """Read what was used, what may be, and by whom."""
    quota = raw.get("quota")
    return Usage(
        used=float(raw["used"]),
        quota=None if quota is None else float(quota),
        reserved=float(raw["reserved"]),
        rate=float(raw["rate"]),
        serving=int(raw["serving"]),
        at=float(raw["at"]),
        spendings=tuple(
            Spending(
                deployment_id=str(entry["deployment_id"]),
                name=str(entry["name"]),
                day=str(entry["day"]),
                mpu=float(entry["mpu"]),
                served_s=float(entry["served_s"]),
            )
            for entry in raw["entries"]
        ),
    )
