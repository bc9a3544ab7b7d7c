"""A deployment's recorded predictions, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import InvalidInputError, PicselliaJupyterError
from picsellia_jupyter.domain.predictions import FailedImage
from picsellia_jupyter.domain.recorded import Wanted
from picsellia_jupyter.handles.deployed import Deployed
from picsellia_jupyter.handles.recorded import RecordedPrediction

if TYPE_CHECKING:
    from picsellia_jupyter.clients.platform import PlatformClient

PAGE = 24


@dataclass(frozen=True, slots=True, eq=False)
class RecordedPage:
    """Some of a deployment's recorded predictions, with their images."""

    items: tuple[RecordedPrediction, ...]
    failures: tuple[FailedImage, ...] = ()
    """Those whose image cannot be had, with why."""
    more: str = ""
    """What `d.recorded(after=…)` goes on with; empty at the end."""
    labels: Mapping[int, str] = field(default_factory=dict)
    threshold: float | None = None

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> RecordedPrediction:
        return self.items[index]

    def __repr__(self) -> str:
        lines = [repr(item) for item in self.items]
        lines += [f"{one.source}: {one.reason}" for one in self.failures]
        return "\n".join(lines) or "No recorded prediction."

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import grid

        shown = [item.shown() for item in self.items]
        html = grid.grid_html(shown, self.failures, self.labels, self.threshold)
        return {"text/html": html, "text/plain": repr(self)}


class Recording(Deployed):
    """What a deployment has recorded."""

    def recorded(
        self,
        *,
        label: str = "",
        score: float | tuple[float, float] | None = None,
        since: str | date | None = None,
        until: str | date | None = None,
        tag: str = "",
        source: str = "",
        text: str = "",
        limit: int = PAGE,
        after: str = "",
    ) -> RecordedPage:
        """Its recorded predictions with their images, newest first: `d.recorded(label="3")`.

        Args:
            label: in which such a shape was found, over the threshold or `score`.
            score: `0.5` for those with a shape scored over it, `(0.2, 0.5)` for one up to 0.5.
            since: predicted that day or later: `2026-11-28`, or with a time.
            until: predicted that day or before.
            tag: of the image.
            source: where the image came from.
            text: a part of the name of the file.
            limit: at most so many.
            after: the `more` of the page before.

        Raises:
            NotFoundError: there is no such label.
            InvalidInputError: a score or a day cannot be read.
            PlatformError: this is the cloud, which does not filter by that here.
        """
        over, up_to = score if isinstance(score, tuple) else (score, None)
        wanted = Wanted(label, over, up_to, _moment(since), _end(until), tag, source, text)
        record, platform = self._record, self._platform
        ids, more = platform.recorded_ids(record, wanted, limit=limit, after=after)
        items, failures = _fetched(platform, record, ids)
        threshold = record.threshold if over is None else over
        return RecordedPage(items, failures, more, record.labels, threshold)


def _fetched(
    platform: PlatformClient, record: DeploymentRecord, ids: Sequence[str]
) -> tuple[tuple[RecordedPrediction, ...], tuple[FailedImage, ...]]:
    items, failures = [], []
    for ident in ids:
        try:
            image, photo = platform.recorded_prediction(record, ident)
        except PicselliaJupyterError as error:
            failures.append(FailedImage(ident, str(error)))
        else:
            items.append(RecordedPrediction(image, photo, record.labels, record.threshold))
    return tuple(items), tuple(failures)


def _moment(day: str | date | None) -> float | None:
    """Its beginning in this machine's time zone, seconds since the epoch."""
    if not day:
        return None
    return _read(day).timestamp()


def _end(day: str | date | None) -> float | None:
    """The end of a day, or the very moment where a time is given."""
    if not day:
        return None
    read = _read(day)
    is_whole = len(str(day)) == len("2026-11-28")
    return (read + timedelta(days=1) if is_whole else read).timestamp()


def _read(day: str | date) -> datetime:
    try:
        return datetime.fromisoformat(str(day))
    except ValueError:
        raise InvalidInputError(
            f"{str(day)!r} is no day.", "Write it as 2026-11-28, or 2026-11-28 14:30."
        ) from None
