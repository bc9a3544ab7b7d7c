"""Predictions that a serving kernel has made and the platform has not."""

from __future__ import annotations

from dataclasses import dataclass

from picsellia_jupyter.wire.predictions import Json

_LATER = "kept, and recorded when the deployment is served there again"


@dataclass(frozen=True, slots=True)
class Backlog:
    """Predictions that a serving kernel has made and the platform has not."""

    pending: int = 0
    """Still on their way."""
    failed: int = 0
    """That the platform would not take; the kernel has set them aside on disk."""
    trouble: str = ""
    """Why, in words."""
    kept: int = 0
    """On the disk of a kernel that has ended; recorded when the deployment is served again."""

    def in_words(self) -> str:
        """What is not recorded; empty where everything is."""
        parts = [f"{self.pending} predictions are still on their way"] if self.pending else []
        parts += [f"{self.kept} predictions are {_LATER}"] if self.kept else []
        parts += [f"{self.failed} predictions could not be recorded"] if self.failed else []
        why = f": {self.trouble}" if parts and self.trouble else ""
        return f"{' and '.join(parts)}{why}." if parts else ""


def left_over(said: Json) -> Backlog:
    """What a stopped kernel says it could not record."""
    failed, kept = int(said.get("failed") or 0), int(said.get("kept") or 0)
    return Backlog(0, failed, str(said.get("trouble") or ""), kept)
