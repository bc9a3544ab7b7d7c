"""Everything that a dashboard shows of a deployment in one range of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from picsellia_jupyter.domain.drift import DriftReport
from picsellia_jupyter.domain.monitoring import Dashboard, Series


@dataclass(frozen=True, slots=True)
class Filters:
    """Which predictions of a deployment are shown; None takes all."""

    version: str | None = None
    """Title of a model version, such as `digits-detector:0`, or its id."""
    label: str | None = None
    """Only shapes of this label; predictions without it still count as predictions."""
    tag: str | None = None
    """Only predictions that were sent with it."""
    source: str | None = None
    """Only predictions that were sent with this source."""

    def in_words(self) -> str:
        """`version digits:0, tag night`; empty where nothing is left out."""
        named = {name: getattr(self, name) for name in ("version", "label", "tag", "source")}
        return ", ".join(f"{name} {value}" for name, value in named.items() if value)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the predictions of a deployment can be filtered by."""

    versions: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Of the newest predictions."""
    sources: tuple[str, ...] = ()
    """Likewise."""


@dataclass(frozen=True, slots=True, eq=False)
class ShadowLatency:
    """How fast the shadow model was, beside the champion."""

    inferences: int
    at: NDArray[np.float64]
    """(L,) seconds since the epoch, UTC: the middle of each bin that has predictions."""
    p50_s: NDArray[np.float64]
    """(L,) seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """Predictions that serving kernels were asked for and could not give."""

    answered: int
    failed: int
    over_time: NDArray[np.int64]
    """(T,) failed, in the bins of `figures.predictions_over_time`."""

    @property
    def rate(self) -> float:
        """Share that failed, in [0, 1]."""
        return self.failed / max(self.answered + self.failed, 1)


@dataclass(frozen=True, slots=True)
class OpenAlert:
    """An alert whose condition is met now."""

    name: str
    metric: str
    operator: str
    limit: float
    worst: float
    """Of the metric since it began."""
    count: int
    """How often the condition was met since."""
    since: float
    """Seconds since the epoch, UTC."""

    def in_words(self) -> str:
        """`slow: latency 0.81 (> 0.5), 12 times`."""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        return (
            f"{self.name}: {self.metric} {self.worst:.3g} ({self.operator} {self.limit:g}), {times}"
        )


@dataclass(frozen=True, slots=True)
class Drift:
    """The test of all signals, and what was compared with what."""

    report: DriftReport
    baseline: int
    """Predictions that the window is compared with."""
    window: int
    training_images: int
    """Images whose sizes are the reference of sizes; 0 where no training data are set."""


@dataclass(frozen=True, slots=True, eq=False)
class Outliers:
    """How unlike the training data the images were."""

    threshold: float
    """An image scored over it is an outlier."""
    scored: int
    """Images that have a score."""
    outliers: int
    at: NDArray[np.float64]
    """(L,) seconds since the epoch, UTC: the middle of each bin that has scores."""
    median: NDArray[np.float64]
    """(L,) score."""
    share: NDArray[np.float64]
    """(L,) of outliers, in [0, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Heatmap:
    """How many shapes touch each cell of a grid that is laid over every image."""

    cells: NDArray[np.int64]
    """(32, 32) row 0 at the top."""
    images: int
    """The newest ones, which were looked at."""
    shapes: int


@dataclass(frozen=True, slots=True, eq=False)
class DashboardReport:
    """A dashboard's figures; what is None or empty is not known or does not apply."""

    figures: Dashboard
    champion: str
    """Title of its model version."""
    shadow: str | None = None
    filters: Filters = field(default_factory=Filters)
    choices: Choices = field(default_factory=Choices)
    alerts: tuple[OpenAlert, ...] = ()
    watched: int = 0
    """Alerts that are active, met or not."""
    errors: Errors | None = None
    """None where no serving kernel was asked, or a part of the predictions is shown."""
    shadow_latency: ShadowLatency | None = None
    labels_over_time: Mapping[str, NDArray[np.int64]] = field(default_factory=dict)
    """(T,) shapes over the threshold per label, most frequent first, in the bins of
    `figures.predictions_over_time`."""
    training_labels: Mapping[str, int] = field(default_factory=dict)
    total_variation: float | None = None
    """Between the labels that were predicted and those of the training data, in [0, 1]."""
    images: Mapping[str, Series] = field(default_factory=dict)
    """Images by `width`, `height` (pixels) and `ratio` (width to height)."""
    drift: Drift | None = None
    outliers: Outliers | None = None
    heatmap: Heatmap | None = None
    has_reviews: bool = False
    notices: Sequence[str] = ()
    """What a reader must know of these figures."""
