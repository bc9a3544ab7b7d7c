"""Having a deployment tell which images are unlike its training data."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod

from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.outliers import EmbeddingDrift, OutlierFit
from picsellia_jupyter.workflows.ranges import Moment, range_of

TIMEOUT_S = 300.0
_LOOK_EVERY_S = 0.25


class Outlying(ABC):
    """What one asks of a deployment about images that are unlike others."""

    _platform: PlatformClient

    @property
    @abstractmethod
    def id(self) -> str:
        """The platform's id of it."""

    def fit_outliers(
        self, contamination: float = 0.05, *, timeout_s: float = TIMEOUT_S
    ) -> OutlierFit:
        """Fit the auto-encoder on the training data, and wait until the kept images have scores.

        The dashboard tells them from then on, of images that come later too.

        Args:
            contamination: share of the training images that are to count as outliers, in (0, 1).
            timeout_s: how long to wait; the fit goes on all the same.

        Raises:
            PlatformError: this is the cloud, the fit failed, or it takes longer.
            InvalidInputError: there are no training data, or fewer than 50 images of them.
        """
        fit = self._platform.begin_outlier_fit(self.id, contamination)
        until = time.monotonic() + timeout_s
        while not fit.is_done:
            if fit.state == "FAILED":
                raise PlatformError(f"The outlier model was not fitted: {fit.reason}")
            if time.monotonic() > until:
                raise PlatformError(
                    f"After {timeout_s:g} s the outlier model is {fit.state.lower()}, and "
                    f"{fit.waiting:,} images wait for a score.",
                    "It goes on; d.dashboard() shows the scores when they are there.",
                )
            time.sleep(_LOOK_EVERY_S)
            fit = self._platform.outlier_fit(self.id)
        return fit

    def embedding_drift(
        self, last: str = "24h", *, since: Moment | None = None, until: Moment | None = None
    ) -> EmbeddingDrift:
        """Whether its images are still those of before: MMD on the auto-encoder's embeddings.

        The newest 200 kept images of the range against the first 200 of before it.

        Args:
            last: how far back; as for `dashboard`.
            since: start of the range.
            until: its end.

        Raises:
            PlatformError: this is the cloud.
            InvalidInputError: the range cannot be read.
        """
        within = range_of(last, since, until, now=time.time())
        return self._platform.embedding_drift(self.id, since=within.since, until=within.until)
