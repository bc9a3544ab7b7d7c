"""A cloud's statistics, whose form is said nowhere: every plain value by its path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from picsellia_jupyter.domain.cloud_figures import Figure, Told

MOST = 60
"""Figures of one service that are kept."""
_LONGEST = 80


def told_from_json(service: str, raw: object) -> Told:
    """Read a reply, whatever its form.

    Args:
        service: what was asked.
        raw: JSON.
    """
    infos = raw.get("infos") if isinstance(raw, Mapping) else None
    found = list(_plain(raw, ""))
    return Told(
        service,
        tuple(found[:MOST]),
        max(len(found) - MOST, 0),
        is_outdated=isinstance(infos, Mapping) and "info" in infos,
    )


def _plain(raw: Any, path: str) -> Iterator[tuple[str, Figure]]:
    """The values in it, in its order; of a list only how long it is."""
    if isinstance(raw, Mapping):
        for key, value in raw.items():
            yield from _plain(value, f"{path}.{key}" if path else str(key))
    elif isinstance(raw, list):
        yield path or "items", f"{len(raw)} values"
    elif raw is None or isinstance(raw, bool | int | float):
        yield path or "value", raw
    else:
        yield path or "value", str(raw)[:_LONGEST]
