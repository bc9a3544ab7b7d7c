"""The model that tells how unlike the training data an image is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutlierFit:
    """How far a deployment's outlier model is."""

    state: str
    """`NONE`, `FITTING`, `READY` or `FAILED`."""
    reason: str = ""
    """Why it failed."""
    images: int = 0
    """Training images it was fitted on, those held out among them."""
    contamination: float | None = None
    """Share of the held-out training images that the threshold calls outliers."""
    threshold: float | None = None
    """An image scored over it is an outlier; mean squared difference in [0, 1]."""
    waiting: int = 0
    """Predicted images that are kept and have no score yet."""

    @property
    def is_done(self) -> bool:
        """Whether it is ready and has scored what there is."""
        return self.state == "READY" and not self.waiting
