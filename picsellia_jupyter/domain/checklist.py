"""A checklist that fills in while it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Mark(str, Enum):
    """How a line of the checklist stands."""

    GOOD = "good"
    WARNING = "warning"
    WRONG = "wrong"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist."""

    name: str
    found: str
    mark: Mark
    remedy: str = ""
    """What to do about it; empty where all is well."""
