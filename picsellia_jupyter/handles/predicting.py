"""Predicting on a user's files, however many: one that fails is named, the others go on."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import NotServingError, PicselliaJupyterError
from picsellia_jupyter.domain.ports import Predictor
from picsellia_jupyter.domain.predictions import FailedImage, PredictedImage
from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.handles import images
from picsellia_jupyter.handles.results import StoredResults

Outcome = PredictedImage | PicselliaJupyterError
Watch = Callable[[int, int, "PredictedImage | None"], None]
"""Told of each image: how many are done, how many of them failed, and what was found."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictedFiles:
    """What came of some files."""

    found: StoredResults
    failures: tuple[FailedImage, ...]
    undone: tuple[Path, ...] = ()
    """Files that an interrupt kept from being predicted on, or from being answered for."""
    versions: frozenset[str] = frozenset()
    """Ids of the model versions that found it; several where the champion changed meanwhile."""


def predict_files(
    endpoint: Predictor,
    paths: Sequence[Path],
    *,
    monitor: bool,
    tags: Sequence[str],
    watch: Watch | None = None,
    folder: Path | None = None,
) -> PredictedFiles:
    """Predict on files, several at once; an interrupt keeps what was done until then.

    Args:
        endpoint: the serving kernel.
        paths: of the images.
        monitor: record the predictions.
        tags: names of tags for the recorded images.
        watch: told of every image as it is done.
        folder: where many results are kept, instead of in memory.

    Raises:
        PicselliaJupyterError: a single image failed.
        NotServingError: nobody answered for any of them.
        KeyboardInterrupt: before anything was done.
    """
    found = StoredResults(folder)
    failures: list[FailedImage] = []
    errors = _Errors()
    versions: set[str] = set()
    done = 0
    try:
        for path, outcome in zip(paths, _outcomes(endpoint, paths, monitor, tags), strict=True):
            image = None
            if isinstance(outcome, PredictedImage):
                image = replace(outcome, source=str(path))
                found.append(image)
                versions.add(image.model_version_id)
            else:
                errors.note(outcome)
                failures.append(FailedImage(str(path), str(outcome)))
            done += 1
            if watch is not None:
                watch(done, len(failures), image)
    except KeyboardInterrupt:
        if not done:
            raise
    if not found and done == len(paths):
        errors.raise_for(done)
    return PredictedFiles(found, tuple(failures), tuple(paths[done:]), frozenset(versions - {""}))


def labels_of(
    record: DeploymentRecord, versions: Collection[str], ask: Callable[[str], ModelVersion]
) -> Mapping[int, str]:
    """Names of the classes of what was found.

    A champion that has just changed may not be what predicted. Where two versions did and name
    their classes differently, a warning says so.

    Args:
        record: of the deployment.
        versions: ids of those that predicted; none where nobody said.
        ask: gives a model version.
    """
    if set(versions) <= {record.model_version_id}:
        return record.labels
    told = {ident: dict(ask(ident).labels) for ident in sorted(versions)}
    first = told.get(record.model_version_id) or next(iter(told.values()))
    if any(labels != first for labels in told.values()):
        warnings.warn(
            f"The champion of {record.name!r} changed meanwhile, and the two versions name their "
            "classes differently: some names are wrong. Predict again.",
            stacklevel=3,
        )
    return first


class _Errors:
    """The first error, and whether all say that nobody answers."""

    def __init__(self) -> None:
        self._first: PicselliaJupyterError | None = None
        self._all_silent = True

    def note(self, error: PicselliaJupyterError) -> None:
        self._first = self._first or error
        self._all_silent = self._all_silent and isinstance(error, NotServingError)

    def raise_for(self, images: int) -> None:
        """Raise where one error says it all."""
        if self._first is not None and (images == 1 or self._all_silent):
            raise self._first


def _outcomes(
    endpoint: Predictor, paths: Sequence[Path], monitor: bool, tags: Sequence[str]
) -> Iterator[Outcome]:
    if len(paths) == 1:
        yield _predict_file(endpoint, paths[0], monitor=monitor, tags=tags)
        return
    lazily = ((path.name, functools.partial(images.read, path)) for path in paths)
    yield from endpoint.predict_each(lazily, monitor=monitor, tags=tags)


def _predict_file(
    endpoint: Predictor, path: Path, *, monitor: bool, tags: Sequence[str]
) -> Outcome:
    try:
        return endpoint.predict(images.read(path), path.name, monitor=monitor, tags=tags)
    except PicselliaJupyterError as error:
        return error
