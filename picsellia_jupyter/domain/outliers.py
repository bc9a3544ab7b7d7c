"""The model that tells how unlike the training data an image is."""

from __future__ import annotations

from dataclasses import dataclass

from picsellia_jupyter.domain.drift import Verdict


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


@dataclass(frozen=True, slots=True)
class EmbeddingDrift:
    """Whether the images of a window are still those of before."""

    reference: int
    """Images it is compared with: the first ones that were kept before the window."""
    current: int
    """The newest images of the window."""
    distance: float | None = None
    """MMD² of the embeddings, at least 0; None of too few."""
    p: float | None = None
    """That images which did not change are as far apart; in (0, 1]."""
    verdict: Verdict = Verdict.TOO_FEW
    reason: str = ""
    """Why nothing was tested."""

    def __str__(self) -> str:
        """`drift: 52 images against 40, MMD² 0.21, p 0.005`, or `too few` and why."""
        if self.distance is None or self.p is None:
            return f"{self.verdict.value}: {self.reason}"
        sides = f"{self.current} images against {self.reference}"
        return f"{self.verdict.value}: {sides}, MMD² {self.distance:.3g}, p {self.p:.3g}"
