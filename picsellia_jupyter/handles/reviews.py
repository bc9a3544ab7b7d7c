"""Reviewing by program: what is to be reviewed, one image after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, overload

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.domain.reviews import (
    Chosen,
    Policy,
    Queue,
    ReviewConflictError,
    ReviewCounts,
    ReviewState,
    Saved,
    Shape,
    Shapes,
    Subject,
    Submission,
)
from picsellia_jupyter.handles.recorded import RecordedPrediction


class Reviewing(Protocol):
    """The platform, as far as reviews are concerned."""

    def review_queue(
        self, record: DeploymentRecord, policy: Policy, *, limit: int, label: str = ""
    ) -> Queue:
        """What is to be reviewed."""

    def review_subject(self, record: DeploymentRecord, asset_id: str) -> tuple[Subject, bytes]:
        """A predicted asset as it is now, and its photo."""

    def save_review(
        self,
        record: DeploymentRecord,
        subject: Subject,
        shapes: Shapes,
        *,
        policy: Policy | None = None,
        also: Sequence[str] = (),
    ) -> Saved:
        """Store a review over the revision that was seen."""

    def submit_reviews(
        self, record: DeploymentRecord, asset_ids: Sequence[str] | None = None
    ) -> Submission:
        """Make reviews final."""

    def review_counts(self, record: DeploymentRecord) -> ReviewCounts:
        """How far the reviews are."""


class ReviewItem:
    """One predicted image that is to be reviewed; shows itself as a picture.

    Example:
        >>> item.accept()  # doctest: +SKIP
        >>> item.relabel("seven")  # doctest: +SKIP
    """

    def __init__(
        self, platform: Reviewing, record: DeploymentRecord, chosen: Chosen, policy: Policy | None
    ) -> None:
        self._platform = platform
        self._record = record
        self._chosen = chosen
        self._policy = policy
        self._seen: tuple[Subject, bytes] | None = None
        self.theirs: Subject | None = None
        """What somebody else made of it, where a save was refused for that."""

    @property
    def id(self) -> str:
        """Of the predicted asset."""
        return self._chosen.id

    @property
    def why(self) -> str:
        """What speaks for it: `score 0.52`; empty for a random one."""
        return self._chosen.why

    @property
    def subject(self) -> Subject:
        """It, as it was last read; read when it is first asked for."""
        return self._read()[0]

    @property
    def prediction(self) -> RecordedPrediction:
        """What the champion found, with the photo."""
        subject, photo = self._read()
        return RecordedPrediction(subject.image, photo, self._record.labels, self._record.threshold)

    @property
    def shapes(self) -> Shapes:
        """What is taken for true now: the last review, or else what was found."""
        return self.subject.shapes

    @property
    def state(self) -> ReviewState:
        """How far it is, as it was last read."""
        return self.subject.state

    def refresh(self) -> ReviewItem:
        """Read it anew, with what others have made of it."""
        self._seen, self.theirs = None, None
        self._read()
        return self

    def accept(self) -> ReviewItem:
        """Say that it is right as it is."""
        return self.save(self.shapes)

    def reject(self) -> ReviewItem:
        """Say that nothing of what was found is there.

        Raises:
            InvalidInputError: a classification, of which one class must be right.
        """
        return self.save(())

    def relabel(self, label: str | Mapping[int, str]) -> ReviewItem:
        """Give shapes another label: all of them, or some by their rows in `shapes`.

        Raises:
            NotFoundError: there is no such label.
            InvalidInputError: there is no such row.
        """
        if isinstance(label, str):
            is_class = self._record.type is InferenceType.CLASSIFICATION
            named = [shape.named(label) for shape in self.shapes]
            return self.save([Shape(label)] if is_class else named)
        shapes = list(self.shapes)
        for row, name in label.items():
            if not 0 <= row < len(shapes):
                raise InvalidInputError(
                    f"There is no shape {row} among {len(shapes)}.", "Rows count from 0."
                )
            shapes[row] = shapes[row].named(name)
        return self.save(shapes)

    def save(self, shapes: Sequence[Shape], *, over: Subject | None = None) -> ReviewItem:
        """Say what is really there.

        Args:
            shapes: all of it, in pixels of the upright photo.
            over: somebody else's review that this one replaces on purpose: `item.theirs`.

        Raises:
            ReviewConflictError: somebody else has reviewed it meanwhile; theirs is kept.
            ConflictError: it is submitted.
        """
        subject, photo = self._read()
        drawn = tuple(shapes)
        try:
            saved = self._platform.save_review(
                self._record,
                over or subject,
                drawn,
                policy=self._policy,
                also=self._chosen.also,
            )
        except ReviewConflictError as conflict:
            self.theirs = conflict.theirs
            raise
        self.theirs = None
        self._seen = (
            Subject(
                subject.id, subject.image, subject.proposed, drawn, saved.state, saved.revision
            ),
            photo,
        )
        return self

    def __repr__(self) -> str:
        why = f" ({self.why})" if self.why else ""
        return f"{self.subject.image.source}: {self.state.value}, {len(self.shapes)} shapes{why}"

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        return self.prediction._repr_mimebundle_(**options) | {"text/plain": repr(self)}

    def _read(self) -> tuple[Subject, bytes]:
        if self._seen is None:
            self._seen = self._platform.review_subject(self._record, self.id)
        return self._seen


class Reviews(Sequence[ReviewItem]):
    """Predicted images of a deployment that are to be reviewed, in order.

    Made by `Deployment.reviews`. Each is read when it is first looked at, and saved as soon as
    it is decided.

    Example:
        >>> for item in d.reviews(limit=50):  # doctest: +SKIP
        ...     item.accept()
    """

    def __init__(self, platform: Reviewing, record: DeploymentRecord, queue: Queue) -> None:
        self._platform = platform
        self._record = record
        self.queue = queue
        self._items = tuple(
            ReviewItem(platform, record, chosen, queue.policy) for chosen in queue.items
        )

    def __len__(self) -> int:
        return len(self._items)

    @overload
    def __getitem__(self, index: int) -> ReviewItem: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ReviewItem]: ...
    def __getitem__(self, index: int | slice) -> ReviewItem | Sequence[ReviewItem]:
        return self._items[index]

    def __iter__(self) -> Iterator[ReviewItem]:
        return iter(self._items)

    @property
    def counts(self) -> ReviewCounts:
        """How many images of the deployment are to review, reviewed and submitted."""
        return self._platform.review_counts(self._record)

    def submit(self, *items: ReviewItem) -> Submission:
        """Make reviews final and feed them to the datasets of the feedback loop.

        This cannot be undone. Without items it is all reviews of the deployment.
        """
        ids = [item.id for item in items] if items else None
        return self._platform.submit_reviews(self._record, ids)

    def __repr__(self) -> str:
        from picsellia_jupyter.display import reviews

        return reviews.queue_text(self._record.name, self.queue, self.counts)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import reviews

        counts = self.counts
        return {
            "text/html": reviews.card(self._record.name, self.queue, counts),
            "text/plain": reviews.queue_text(self._record.name, self.queue, counts),
        }


def open_reviews(
    platform: Reviewing, record: DeploymentRecord, policy: str, *, limit: int, label: str | None
) -> Reviews:
    """What is to be reviewed of a deployment, by the name of a policy; see `Deployment.reviews`."""
    chosen = Policy.LABEL if label and policy == Policy.RANDOM.value else Policy.named(policy)
    if (chosen is Policy.LABEL) != bool(label):
        raise InvalidInputError(
            f"The policy {chosen.value!r} {'takes no' if label else 'needs a'} label.",
            "Give both: policy='label', label='seven'.",
        )
    queue = platform.review_queue(record, chosen, limit=limit, label=label or "")
    return Reviews(platform, record, queue)
