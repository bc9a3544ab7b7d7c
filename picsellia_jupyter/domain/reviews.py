"""Reviews: what a person says is really in a predicted image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.domain.predictions import PredictedImage
from picsellia_jupyter.domain.registry import InferenceType

Point = tuple[float, ...]


class Policy(str, Enum):
    """How images are chosen for review; also what their tag `sampled:…` says."""

    RANDOM = "random"
    """Every image is as likely as any other; the only choice whose metrics speak for all."""
    UNCERTAIN = "uncertain"
    """Those with a score nearest to the threshold first."""
    OUTLIERS = "outliers"
    """Those least like the training data first."""
    DISAGREEMENTS = "disagreements"
    """Those where champion and shadow differ most first."""
    LABEL = "label"
    """Those in which a certain label was found, the newest first."""
    CAMPAIGN = "campaign"
    """Those that the review campaign has assigned to the one who asks, the oldest first."""

    @classmethod
    def named(cls, name: str) -> Policy:
        """The policy of a name.

        Raises:
            NotFoundError: there is none.
        """
        try:
            return cls(name)
        except ValueError:
            raise NotFoundError.named("policy", name, [one.value for one in cls]) from None


class ReviewState(str, Enum):
    """How far a predicted asset is; never back, by the platform's own names."""

    TO_REVIEW = "TO_REVIEW"
    REVIEWED = "REVIEWED"
    SUBMITTED = "SUBMITTED"


@dataclass(frozen=True, slots=True)
class Shape:
    """One object as a person has it."""

    label: str
    """Its name."""
    points: tuple[Point, ...] = ()
    """Pixels of the upright photo: two corners of a box (left top, right bottom), the points of
    a polygon or a line, the one of a point, x, y and visibility of keypoints; none of a class."""
    mask: str = ""
    """COCO's run-length code of a mask."""

    def named(self, label: str) -> Shape:
        """The same with another label."""
        return replace(self, label=label)


Shapes = tuple[Shape, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A predicted image that is to be reviewed, as it was last seen on the platform."""

    id: str
    """Of the predicted asset."""
    image: PredictedImage
    """What the champion found, with raw scores."""
    proposed: Shapes
    """What it found over the threshold."""
    reviewed: Shapes | None
    """What the last review says; None where there is none."""
    state: ReviewState
    revision: str
    """Of the last review; empty where there is none. A review is stored over this one alone."""
    reviewer: str = ""
    """Who made the last review."""

    @property
    def shapes(self) -> Shapes:
        """What is taken for true now: the last review, or else what was found."""
        return self.proposed if self.reviewed is None else self.reviewed


@dataclass(frozen=True, slots=True)
class Chosen:
    """One predicted asset of a queue."""

    id: str
    why: str
    """What speaks for it: `score 0.52`; empty for a random one."""
    also: tuple[str, ...] = ()
    """Reviewed before for another reason, and of the random sample as soon as this one is."""


@dataclass(frozen=True, slots=True)
class Queue:
    """What is to be reviewed, in order, and how it was chosen."""

    policy: Policy
    items: tuple[Chosen, ...]
    candidates: int
    """It was chosen from."""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Saved:
    """A review that the platform has."""

    revision: str
    state: ReviewState


@dataclass(frozen=True, slots=True)
class ReviewCounts:
    """How many predicted assets of a deployment are in each state."""

    to_review: int
    reviewed: int
    submitted: int


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a submission."""

    submitted: int
    """Reviews that are final now."""
    annotated: int
    """Annotations written into the dataset versions of the feedback loop."""


class ReviewConflictError(ConflictError):
    """Somebody else reviewed the image meanwhile; theirs is kept until you decide."""

    def __init__(self, theirs: Subject) -> None:
        super().__init__(
            f"{theirs.reviewer or 'Somebody else'} has reviewed {theirs.image.source} meanwhile.",
            "Look at item.theirs, then: item.save(shapes, over=item.theirs), or item.refresh().",
        )
        self.theirs = theirs


def checked(kind: InferenceType, shapes: Sequence[Shape], labels: Sequence[str]) -> Shapes:
    """Shapes that make a review of this type.

    Raises:
        InvalidInputError: a box has no area, a polygon too few points, a class is missing.
        NotFoundError: a label is not the deployment's.
    """
    for shape in shapes:
        if shape.label not in labels:
            raise NotFoundError.named("label", shape.label, list(labels))
        _check_points(kind, shape)
    if kind is InferenceType.CLASSIFICATION and len(shapes) != 1:
        raise InvalidInputError(
            f"A classification is reviewed with one class, not {len(shapes)}.",
            f"Say which: item.relabel({labels[0]!r})." if labels else "",
        )
    return tuple(shapes)


_LEAST = {
    InferenceType.OBJECT_DETECTION: 2,
    InferenceType.SEGMENTATION: 3,
    InferenceType.LINE: 2,
    InferenceType.POINT: 1,
    InferenceType.KEYPOINT: 1,
}
"""Points that a shape of each type has at least."""


def _check_points(kind: InferenceType, shape: Shape) -> None:
    least = _LEAST.get(kind, 0)
    if len(shape.points) < least:
        raise InvalidInputError(
            f"A shape of type {kind.title} has {len(shape.points)} points.",
            f"It takes at least {least}.",
        )
    if kind is not InferenceType.OBJECT_DETECTION:
        return
    (left, top), (right, bottom) = shape.points[:2]
    if round(right) <= round(left) or round(bottom) <= round(top):
        raise InvalidInputError(
            f"The box ({left:g}, {top:g}) to ({right:g}, {bottom:g}) has no area.",
            "Give its left top corner first.",
        )
