"""A review campaign: who looks at which images of a deployment, and how far they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Share:
    """What one person, or nobody yet, has of a campaign."""

    done: int
    open: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is, at one moment."""

    id: str
    deployment: str
    description: str
    is_closed: bool
    end_date: str
    """As 2027-01-31; empty where none is set."""
    done: int
    open: int
    waiting: int
    """Images that are to be reviewed and not in the campaign."""
    people: Mapping[str, Share] = field(default_factory=dict)
    """By user name; an empty name stands for nobody."""

    def in_words(self) -> str:
        """The progress as a sentence or two."""
        state = "closed" if self.is_closed else "open"
        until = f" until {self.end_date}" if self.end_date else ""
        told = (
            f"The campaign of {self.deployment} is {state}{until}: {self.done:,} of "
            f"{self.done + self.open:,} images are reviewed."
        )
        return f"{told} {self.waiting:,} more could be taken in." if self.waiting else told
