"""The deck of a review without its widget: a queue, a cursor, edits, undo. Does no I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum

from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.domain.reviews import Chosen, Queue, ReviewState, Saved, Shapes, Subject


class Decision(str, Enum):
    """What somebody made of an image."""

    ACCEPTED = "accepted"
    """It is right as it was."""
    CORRECTED = "corrected"
    """It is right now."""
    REJECTED = "rejected"
    """Nothing of what was found is there."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An image on the desk."""

    subject: Subject
    shapes: Shapes
    decision: Decision | None = None
    theirs: Subject | None = None
    """What somebody else made of it meanwhile, until one of both is chosen."""
    trouble: str = ""
    """Why its review is not stored."""

    @property
    def is_edited(self) -> bool:
        """Whether it is not as it was read."""
        return self.shapes != self.subject.shapes


@dataclass(frozen=True, slots=True)
class Save:
    """A review that is to be stored."""

    subject: Subject
    shapes: Shapes
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """What can be undone: how an image was before."""

    cursor: int
    id: str
    draft: Draft


class ReviewModel:
    """What is on the desk of one reviewer.

    Whoever holds it stores what `decide` and `move` return, and tells it what became of that.
    """

    def __init__(self, queue: Queue, kind: InferenceType) -> None:
        self.queue = queue
        self.kind = kind
        self.cursor = 0
        self._places = {item.id: place for place, item in enumerate(queue.items)}
        self._drafts: dict[str, Draft] = {}
        self._history: list[_Step] = []
        self._unsaved: Counter[str] = Counter()

    # What is there -----------------------------------------------------------------------------

    @property
    def current(self) -> Chosen | None:
        """The item that is looked at; None at the end of the queue."""
        at_end = self.cursor >= len(self.queue.items)
        return None if at_end else self.queue.items[self.cursor]

    @property
    def draft(self) -> Draft | None:
        """The image that is looked at; None where it has not been read, or at the end."""
        return self._drafts.get(self.current.id) if self.current else None

    def wanted(self, ahead: int) -> list[str]:
        """Ids of the images that are looked at now and next, and not read yet."""
        near = self.queue.items[self.cursor : self.cursor + ahead + 1]
        return [item.id for item in near if item.id not in self._drafts]

    @property
    def unsaved(self) -> int:
        """Reviews that are on their way."""
        return self._unsaved.total()

    @property
    def can_undo(self) -> bool:
        """Whether anything was done."""
        return bool(self._history)

    @property
    def reviewed_ids(self) -> tuple[str, ...]:
        """Images whose reviews are stored and not final."""
        return tuple(
            one
            for one, draft in self._drafts.items()
            if draft.decision and draft.subject.state is ReviewState.REVIEWED
        )

    @property
    def tally(self) -> Mapping[Decision, int]:
        """How many images were decided how."""
        return Counter(draft.decision for draft in self._drafts.values() if draft.decision)

    # What the reviewer does ----------------------------------------------------------------------

    def edit(self, asset_id: str, shapes: Shapes) -> None:
        """Have other shapes in the image that is looked at; one that is not is left."""
        draft = self._at_hand(asset_id)
        if draft is not None and draft.shapes != shapes:
            self._note(draft)
            self._drafts[asset_id] = replace(draft, shapes=shapes, trouble="")

    def accept(self, asset_id: str) -> Save | None:
        """Say that what is drawn is right, and go on."""
        draft = self._at_hand(asset_id)
        if draft is None:
            return None
        as_found = draft.shapes == draft.subject.proposed
        return self._decided(draft, Decision.ACCEPTED if as_found else Decision.CORRECTED)

    def reject(self, asset_id: str) -> Save | None:
        """Say that nothing is there, and go on. Of a classification a class must be right."""
        draft = self._at_hand(asset_id)
        if draft is None or self.kind is InferenceType.CLASSIFICATION:
            return None
        return self._decided(replace(draft, shapes=()), Decision.REJECTED, before=draft)

    def move(self, steps: int) -> Save | None:
        """Go on or back; an image that was changed is stored on the way, any other is left."""
        save = self.leave()
        self.cursor = max(0, min(self.cursor + steps, len(self.queue.items)))
        return save

    def leave(self) -> Save | None:
        """What is to be stored where the image that is looked at was changed but not decided."""
        draft = self.draft
        if draft is None or draft.theirs or draft.decision or not draft.is_edited:
            return None
        return self._ordered(replace(draft, decision=Decision.CORRECTED))

    def undo(self) -> None:
        """Take the last edit or decision back and go to its image.

        A review that is stored stays so until the image is decided again.
        """
        if self._history:
            step = self._history.pop()
            self.cursor = step.cursor
            now = self._drafts[step.id]
            self._drafts[step.id] = replace(step.draft, subject=now.subject, theirs=now.theirs)

    def resolve(self, asset_id: str, *, keep_mine: bool) -> Save | None:
        """Choose between a review and the one that somebody else made meanwhile."""
        draft = self._at_hand(asset_id)
        if draft is None or draft.theirs is None:
            return None
        # Having seen theirs is what makes it right to store over it.
        seen = replace(draft, subject=draft.theirs, theirs=None)
        if keep_mine:
            save = self._ordered(seen)
        else:
            self._drafts[asset_id] = replace(seen, shapes=draft.theirs.shapes)
            save = None
        self.cursor += 1
        return save

    # What became of it ---------------------------------------------------------------------------

    def learn(self, subject: Subject) -> None:
        """Put an image on the desk, unless it is there."""
        self._drafts.setdefault(subject.id, Draft(subject, subject.shapes))

    def saved(self, asset_id: str, saved: Saved, shapes: Shapes) -> None:
        """A review is stored."""
        self._unsaved[asset_id] -= 1
        draft = self._drafts[asset_id]
        subject = replace(
            draft.subject, reviewed=shapes, revision=saved.revision, state=saved.state
        )
        self._drafts[asset_id] = replace(draft, subject=subject, trouble="")

    def refused(self, asset_id: str, why: str, theirs: Subject | None = None) -> None:
        """A review is not stored; the reviewer is brought back to its image."""
        self._unsaved[asset_id] -= 1
        draft = self._drafts[asset_id]
        self._drafts[asset_id] = replace(draft, theirs=theirs, trouble=why)
        self.cursor = self._places[asset_id]

    def submitted(self) -> None:
        """What was reviewed is final."""
        for asset_id in self.reviewed_ids:
            draft = self._drafts[asset_id]
            subject = replace(draft.subject, state=ReviewState.SUBMITTED)
            self._drafts[asset_id] = replace(draft, subject=subject)
        self._history.clear()

    def seen(self, asset_id: str) -> Subject:
        """An image with the revision that is known by now, to be stored over."""
        return self._drafts[asset_id].subject

    # Inside --------------------------------------------------------------------------------------

    def _at_hand(self, asset_id: str) -> Draft | None:
        """The image that is looked at, if it is this one: a late message is for none."""
        at_hand = self.current is not None and self.current.id == asset_id
        return self._drafts.get(asset_id) if at_hand else None

    def _decided(
        self, draft: Draft, decision: Decision, before: Draft | None = None
    ) -> Save | None:
        if draft.theirs is not None or draft.subject.state is ReviewState.SUBMITTED:
            return None
        self._note(before or draft)
        save = self._ordered(replace(draft, decision=decision))
        self.cursor += 1
        return save

    def _ordered(self, draft: Draft) -> Save:
        asset_id = draft.subject.id
        self._drafts[asset_id] = replace(draft, trouble="")
        self._unsaved[asset_id] += 1
        also = self.queue.items[self._places[asset_id]].also
        return Save(draft.subject, draft.shapes, also)

    def _note(self, draft: Draft) -> None:
        self._history.append(_Step(self.cursor, draft.subject.id, draft))
