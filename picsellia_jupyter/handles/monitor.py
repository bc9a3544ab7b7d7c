"""What records the predictions of a user's own server in a deployment."""

from __future__ import annotations

import atexit
import functools
import inspect
import logging
import time
import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar, cast

from typing_extensions import ParamSpec, Self

from picsellia_jupyter.domain.counting import count
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import InvalidInputError, InvalidPredictionError
from picsellia_jupyter.domain.predictions import PredictedImage, Prediction
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.handles import monitored_images
from picsellia_jupyter.handles.monitored_images import MonitoredImage
from picsellia_jupyter.recording.keeper import Counts, Keeper, is_power_of_ten
from picsellia_jupyter.recording.recorder import Outcome
from picsellia_jupyter.recording.records import Record
from picsellia_jupyter.recording.room import QueueFullError
from picsellia_jupyter.workflows.outputs.reading import Reading

EXIT_S = 5.0
"""Seconds that an ending program waits for what is not recorded yet; the rest stays on disk."""

P = ParamSpec("P")
R = TypeVar("R")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class About:
    """What is recorded beside a prediction."""

    name: str | None = None
    """Of the image; that of its file where there is one."""
    tags: tuple[str, ...] = ()
    source: str | None = None
    """Name of the data source."""
    metadata: Mapping[str, Any] | None = None
    """Of the image, by the platform's own keys."""
    custom_metadata: Mapping[str, Any] | None = None


class Monitor:
    """Records the predictions of a user's own model in a deployment.

    `picsellia_jupyter.monitor` makes it, once in a program. Any number of threads may use it;
    a process that is forked off has its own spool.

    Example:
        >>> monitor = picsellia_jupyter.monitor("press-line")  # doctest: +SKIP
        >>> with monitor(image) as m:  # doctest: +SKIP
        ...     m.detections = model(image)
    """

    def __init__(
        self,
        record: DeploymentRecord,
        reading: Reading,
        keeper: Keeper,
        *,
        channels: str = "rgb",
        drops: bool = False,
    ) -> None:
        """Take predictions; `picsellia_jupyter.monitor` is the way to make one."""
        self.record = record
        """The deployment, as it was when this was made."""
        self._reading = reading
        self._keeper = keeper
        self._channels = channels
        self._drops = drops
        self._at_exit = _closing(weakref.ref(self))
        atexit.register(self._at_exit)

    def __repr__(self) -> str:
        counts = self.counts
        words = [
            f"{counts.recorded} recorded",
            f"{counts.in_hand + counts.waiting} on their way",
            *([f"{counts.refused} refused and set aside"] if counts.refused else []),
            *([f"{counts.dropped} dropped"] if counts.dropped else []),
            *([f"{counts.lost} lost"] if counts.lost else []),
        ]
        trouble = f": {counts.trouble}" if counts.trouble else ""
        return f"Monitor({self.record.name!r}, {', '.join(words)}{trouble})"

    @property
    def counts(self) -> Counts:
        """How many predictions of this process are where, and what holds them up."""
        return self._keeper.counts

    def __call__(
        self,
        image: Any,
        *,
        name: str | None = None,
        tags: Sequence[str] = (),
        source: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        custom_metadata: Mapping[str, Any] | None = None,
    ) -> Monitored:
        """Record what is found in an image: `with monitor(image) as m: m.detections = …`.

        Args:
            image: a path, the bytes of an image file, a Pillow image, or an array of uint8. It
                is held as it is now: what the model does to it changes nothing.
            name: of the image.
            tags: names of tags.
            source: name of the data source.
            metadata: of the image, by the platform's own keys.
            custom_metadata: of the image, your own; JSON.

        Raises:
            InvalidImageError: it is no image.
        """
        held = monitored_images.held(image, channels=self._channels)
        return Monitored(self, held, About(name, tuple(tags), source, metadata, custom_metadata))

    def wrap(self, model: Callable[P, R]) -> Callable[P, R]:
        """A function that calls a model with an image and records what it answers.

        The image is its first argument; `@monitor.wrap` decorates a function of your own.
        """
        if inspect.iscoroutinefunction(model):
            return cast("Callable[P, R]", self._wrapped_async(model))

        @functools.wraps(model)
        def monitored(*args: P.args, **kwargs: P.kwargs) -> R:
            with self(_first(model, args)) as m:
                answer = model(*args, **kwargs)
                m.found = answer
            return answer

        return monitored

    def flush(self, timeout_s: float = 60.0) -> int:
        """Wait until everything is recorded; the number of predictions that are not."""
        return self._keeper.flush(timeout_s)

    def close(self, timeout_s: float = EXIT_S) -> Outcome:
        """Put everything on disk and record what can be within a time; the rest is logged.

        It is called when the interpreter ends by itself; a server that ends by a signal should
        call it. What is left is recorded by the next monitor.
        """
        atexit.unregister(self._at_exit)
        outcome, counts = self._keeper.close(timeout_s), self.counts
        if outcome.kept or outcome.failed:
            _log.warning("%s", _said_at_the_end(self.record.name, outcome))
        if counts.dropped or counts.lost:
            _log.warning(
                "Predictions of %r: %d were dropped, %d lost",
                self.record.name,
                counts.dropped,
                counts.lost,
            )
        return outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _wrapped_async(self, model: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        @functools.wraps(model)
        async def monitored(*args: P.args, **kwargs: P.kwargs) -> R:
            with self(_first(model, args)) as m:
                answer = await model(*args, **kwargs)
                m.found = answer
            return answer

        return monitored

    def _keep(self, record: Callable[[], Record], size: int) -> Future[None]:
        try:
            return self._keeper.hand_over(record, size)
        except QueueFullError as error:
            if not self._drops:
                raise
            dropped = self._keeper.count_dropped()
            if is_power_of_ten(dropped):
                were = count(dropped, "prediction was", "predictions were")
                _log.warning("%s dropped so far: %s", were, error)
            failed = Future[None]()
            failed.set_exception(error)
            return failed


class _Found:
    """An attribute that takes predictions of one type, or of any."""

    def __init__(self, kind: InferenceType | None = None) -> None:
        self._kind = kind

    def __get__(self, monitored: Monitored, _owner: type[Monitored] | None = None) -> Prediction:
        return monitored._what_was_found()

    def __set__(self, monitored: Monitored, value: Any) -> None:
        monitored._take(value, self._kind)


class Monitored:
    """One image that is predicted on; the clock runs until the prediction is there."""

    found = _Found()
    """What the model found, of whatever type the deployment has."""
    classification = _Found(InferenceType.CLASSIFICATION)
    detections = _Found(InferenceType.OBJECT_DETECTION)
    segmentation = _Found(InferenceType.SEGMENTATION)
    masks = _Found(InferenceType.MASK)
    keypoints = _Found(InferenceType.KEYPOINT)
    lines = _Found(InferenceType.LINE)
    points = _Found(InferenceType.POINT)

    def __init__(self, monitor: Monitor, image: MonitoredImage, about: About) -> None:
        """Wait for the block that predicts; `Monitor` makes it."""
        self._monitor = monitor
        self._image = image
        self._about = about
        self._found: Prediction | None = None
        self._kept: Future[None] | None = None
        self._began = time.perf_counter()
        self._at = time.time()
        self.latency_s: float | None = None
        """Seconds from the block's begin until the prediction was assigned; may be set."""
        self.prediction_id = monitor._keeper.new_id()
        """Travels with the prediction in `custom_metadata`; it is recorded once."""

    @property
    def kept(self) -> Future[None]:
        """Done once the prediction is on disk: `m.kept.result()` waits for it.

        Raises:
            InvalidInputError: the block has not ended well.
        """
        if self._kept is None:
            raise InvalidInputError(
                "Nothing is kept yet.", "Ask after the block: with monitor(image) as m: …"
            )
        return self._kept

    def __enter__(self) -> Self:
        self._at, self._began = time.time(), time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        """Hand the prediction over; where the block failed, nothing is recorded.

        Raises:
            InvalidPredictionError: none was assigned.
            QueueFullError: there is no room, and the monitor does not drop.
        """
        if kind is None:
            found = self._what_was_found()
            self._kept = self._monitor._keep(lambda: self._written(found), self._image.held)

    def _take(self, value: Any, kind: InferenceType | None) -> None:
        if self.latency_s is None:
            self.latency_s = time.perf_counter() - self._began
        reading = self._monitor._reading
        if kind is not None and kind is not reading.kind:
            raise InvalidPredictionError(
                f"The deployment {self._monitor.record.name!r} predicts {reading.kind.title}, "
                f"not {kind.title}.",
                "Assign m.found, which takes the deployment's own type.",
            )
        self._found = reading.prediction(value, self._image.size)

    def _what_was_found(self) -> Prediction:
        if self._found is None:
            raise InvalidPredictionError(
                "No prediction was assigned in the block.",
                "Assign m.found = … ([] where nothing was found).",
            )
        return self._found

    def _written(self, found: Prediction) -> Record:
        """The record, made by the keeper's thread."""
        image, content_type = self._image.encode()
        about = self._about
        suffix = "png" if content_type == "image/png" else "jpg"
        name = about.name or self._image.name or f"{self.prediction_id}.{suffix}"
        latency_s = cast("float", self.latency_s)
        return Record(
            PredictedImage(name, self._image.size, found, latency_s, self.prediction_id),
            image,
            content_type,
            self._at,
            about.tags,
            about.source,
            about.metadata,
            about.custom_metadata,
        )


def _first(model: Callable[..., object], args: tuple[object, ...]) -> object:
    if not args:
        raise InvalidInputError(
            f"{getattr(model, '__name__', 'The model')} was called without an image.",
            "Give the image first, by its place.",
        )
    return args[0]


def _said_at_the_end(name: str, outcome: Outcome) -> str:
    """What an ended program left behind, in words."""
    parts = []
    if outcome.kept:
        parts.append(
            f"{outcome.kept} on disk, which the next monitor of this deployment on this machine "
            "records"
        )
    if outcome.failed:
        parts.append(f"{outcome.failed} refused and set aside (picsellia-jupyter spool list)")
    why = f": {outcome.trouble}" if outcome.trouble else ""
    return f"Predictions of {name!r} that are not recorded: {', '.join(parts)}{why}"


def _closing(own: weakref.ref[Monitor]) -> Callable[[], None]:
    def close() -> None:
        monitor = own()
        if monitor is not None:
            monitor.close()

    return close
