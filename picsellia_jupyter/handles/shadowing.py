"""Late predictions of the shadow model, on images that the champion has seen before."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from picsellia_jupyter.clients.endpoint import Endpoint
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import (
    ConflictError,
    InvalidInputError,
    NotServingError,
    PicselliaJupyterError,
)
from picsellia_jupyter.domain.predictions import FailedImage
from picsellia_jupyter.domain.promotion import StoredPrediction
from picsellia_jupyter.domain.registry import ModelReference
from picsellia_jupyter.handles.batching import BatchProgress
from picsellia_jupyter.handles.deployed import Deployed
from picsellia_jupyter.workflows.registry import find_model_version

_AT_ONCE = 2
"""While one is predicted on, the next is fetched."""
_PAGE = 100
READY_S = 120.0
"""A shadow model that was just set has to be downloaded and loaded."""
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class ShadowPredicted:
    """What the shadow model has made up for."""

    shadow: str
    """Title of its version."""
    done: int
    """Images it has predicted on now."""
    failures: tuple[FailedImage, ...]
    left: int
    """Images that no shadow has predicted on yet, failures among them."""
    by_others: int
    """Images that another version predicted on as shadow; they keep that prediction."""

    def __repr__(self) -> str:
        told = f"{self.shadow} has predicted on {self.done:,} images more; {self.left:,} are left."
        if self.failures:
            first = self.failures[0]
            told += f" {len(self.failures):,} failed: {first.source}: {first.reason}"
        if self.by_others:
            told += f" {self.by_others:,} keep the prediction of an earlier shadow."
        return told


class ShadowPredicting(Deployed):
    """Has the shadow model make up for what it has not seen."""

    def shadow_predict(
        self, limit: int | None = None, *, reviewed: bool = False
    ) -> ShadowPredicted:
        """Have the shadow model predict on images that were predicted on before it was set.

        Newest first. It can be interrupted and run again: what is done is done, and nothing is
        recorded twice. `d.shadow_predict(reviewed=True)` is what a gate needs.

        Args:
            limit: at most so many images; all if none is given.
            reviewed: only images that somebody reviewed.

        Raises:
            InvalidInputError: there is no shadow model.
            NotServingError: no serving kernel answers, or its shadow model is not ready.
            PlatformError: this is the cloud.
        """
        record = self.refresh()
        if not record.shadow_title:
            raise InvalidInputError(
                f"{record.name!r} has no shadow model.", 'Set one: d.shadow = "MODEL:VERSION"'
            )
        endpoint = self._served()
        self._await_shadow(record)
        there = self._platform.unshadowed(record, reviewed=reviewed, limit=1)
        total = there.count if limit is None else min(limit, there.count)
        done, failures = 0, []
        with BatchProgress(total, record.labels, record.threshold) as watch:
            for one, why in self._each(endpoint, total, reviewed=reviewed):
                if why is None:
                    done += 1
                else:
                    failures.append(FailedImage(one.filename, why))
                watch(done, len(failures), None)
        left = self._platform.unshadowed(record, reviewed=reviewed, limit=1)
        return ShadowPredicted(
            record.shadow_title, done, tuple(failures), left.count, left.by_others
        )

    def _await_shadow(self, record: DeploymentRecord) -> None:
        """Wait until the serving kernel predicts with this very shadow model.

        Raises:
            NotServingError: it is not ready in time; the serving kernel's log tells more.
        """
        version = find_model_version(self._platform, ModelReference.parse(record.shadow_title))
        end = time.monotonic() + READY_S
        while record.serving is None or record.serving.shadow_version_id != version.id:
            if time.monotonic() > end:
                raise NotServingError(
                    f"The shadow model {record.shadow_title} is not ready after {READY_S:g} s.",
                    "The serving kernel's log tells more. Run this again once it is.",
                )
            time.sleep(_LOOK_S)
            record = self.refresh()

    def _each(
        self, endpoint: Endpoint, total: int, *, reviewed: bool
    ) -> Iterator[tuple[StoredPrediction, str | None]]:
        """Each image with why it failed; an interrupt ends it early."""
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="shadow") as pool:
            try:
                for page in self._pages(total, reviewed=reviewed):
                    outcomes = pool.map(lambda one: _predict(endpoint, one), page)
                    yield from zip(page, outcomes, strict=True)
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)

    def _pages(self, total: int, *, reviewed: bool) -> Iterator[tuple[StoredPrediction, ...]]:
        after, left = "", total
        while left > 0:
            page = self._platform.unshadowed(
                self._record, reviewed=reviewed, limit=min(_PAGE, left), after=after
            ).items
            if not page:
                return
            yield page
            # Those that failed stay in the list; they are passed over.
            after, left = page[-1].id, left - len(page)


def _predict(endpoint: Endpoint, one: StoredPrediction) -> str | None:
    """Why it failed; None where the shadow's prediction is recorded."""
    try:
        endpoint.predict_shadow(one.id, one.connector_id, one.object_name)
    except ConflictError:
        return None  # recorded meanwhile, by another run or as it came
    except NotServingError:
        raise  # the others would fare no better
    except PicselliaJupyterError as error:
        return str(error)
    return None
