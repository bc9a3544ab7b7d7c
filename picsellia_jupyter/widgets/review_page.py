"""The page's side of the review deck: an anywidget, and what is said to it.

    kernel → page   the trait `deck`: everything that is shown but the photo, see `face`
                    {"photo": asset id, "url": "data:image/jpeg;base64,…"}   now and next images
    page → kernel   {"do": "hello"}                          a view was drawn
                    {"do": "photo", "asset"}                 it has not got this one
                    {"do": "edit", "asset", "shapes", "serial"}
                    {"do": "accept" | "reject" | "next" | "back" | "undo", "asset", …}
                    {"do": "mine" | "theirs"}                which of two reviews holds
                    {"do": "ask" | "unask" | "submit" | "close"}

Photos are messages and no trait: a trait would be sent whole with every change, and be saved.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any

import anywidget
import traitlets

from picsellia_jupyter.display.palette import ink_on, label_colour
from picsellia_jupyter.display.reviews import choice
from picsellia_jupyter.display.units import count, printable
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.domain.reviews import ReviewState
from picsellia_jupyter.widgets.review_model import Decision, Draft, ReviewModel
from picsellia_jupyter.wire.reviews import shape_to_json

Json = dict[str, Any]

FORMS = {
    InferenceType.CLASSIFICATION: "class",
    InferenceType.OBJECT_DETECTION: "box",
    InferenceType.SEGMENTATION: "polygon",
    InferenceType.LINE: "line",
    InferenceType.POINT: "point",
    InferenceType.KEYPOINT: "keypoints",
    InferenceType.MASK: "mask",
}
_MODULES = (
    ("display", "shapes.js"), ("display", "drawing.js"),
    ("widgets", "review_outlines.js"), ("widgets", "review_editor.js"),
    ("widgets", "review_deck.js"),
)  # fmt: skip
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|const) )", re.MULTILINE)
_IMPORT = re.compile(r"^import .*?;\n", re.MULTILINE | re.DOTALL)


def script() -> str:
    """The deck and the viewer's own drawing code as one module, which a widget must be."""
    package = files("picsellia_jupyter")
    texts = (
        package.joinpath(folder).joinpath(name).read_text(encoding="utf-8")
        for folder, name in _MODULES
    )
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)


class ReviewPage(anywidget.AnyWidget):
    """The live view of a deck."""

    _esm = script()
    _css = files("picsellia_jupyter.widgets").joinpath("review_deck.css").read_text("utf-8")
    deck = traitlets.Dict().tag(sync=True)


def label_entries(labels: tuple[str, ...]) -> list[list[str]]:
    """Each label with its colour and the ink on it, as CSS has them."""
    return [
        [name, _css(label_colour(place)), _css(ink_on(label_colour(place)))]
        for place, name in enumerate(labels)
    ]


def face(
    model: ReviewModel,
    labels: list[list[str]],
    *,
    asking: str = "",
    busy: str = "",
    waiting: str = "",
    trouble: str = "",
) -> Json:
    """Everything that a page shows of a deck but the photo.

    Args:
        model: the deck.
        labels: as `label_entries` has them.
        asking: a question that is answered before anything else.
        busy: what is under way that must not be disturbed.
        waiting: why the kernel may not answer at once.
        trouble: why something could not be done.
    """
    item, draft = model.current, model.draft
    size = draft.subject.image.size if draft else None
    return {
        "asset": item.id if item and draft else "",
        "place": model.cursor,
        "total": len(model.queue.items),
        "title": _title(model),
        "status": busy or waiting or _status(model),
        "w": size.width if size else 1,
        "h": size.height if size else 1,
        "form": FORMS[model.kind],
        "labels": labels,
        "shapes": [shape_to_json(shape) for shape in draft.shapes] if draft else [],
        "theirs": _theirs(draft),
        "conflict": _conflict(draft),
        "trouble": trouble or (draft.trouble if draft and not draft.theirs else ""),
        "asking": asking,
        "busy": bool(busy),
        "final": bool(draft and draft.subject.state is ReviewState.SUBMITTED),
        "can_undo": model.can_undo,
        "reviewed": len(model.reviewed_ids),
        "serial": 0,
        "undone": False,
    }


def _title(model: ReviewModel) -> str:
    item, total = model.current, len(model.queue.items)
    if item is None:
        return f"All {count(total, 'image')} looked at" if total else "Nothing is to be reviewed"
    place = f"Image {model.cursor + 1:,} of {total:,}"
    if model.draft is None:
        return f"{place} is being read …"
    parts = [place, printable(model.draft.subject.image.source), item.why, _state(model.draft)]
    return " · ".join(part for part in parts if part)


def _state(draft: Draft) -> str:
    if draft.subject.state is ReviewState.SUBMITTED:
        return "submitted"
    if draft.decision:
        return draft.decision.value
    if draft.subject.reviewed is None:
        return ""
    return (
        f"reviewed by {printable(draft.subject.reviewer)}" if draft.subject.reviewer else "reviewed"
    )


def _status(model: ReviewModel) -> str:
    tally = model.tally
    decided = [f"{tally[one]:,} {one.value}" for one in Decision if tally.get(one)]
    saving = f"saving {model.unsaved:,} …" if model.unsaved else "all saved" if decided else ""
    return " · ".join([*decided, saving]) if decided else choice(model.queue)


def _conflict(draft: Draft | None) -> str:
    if draft is None or draft.theirs is None:
        return ""
    who = printable(draft.theirs.reviewer) or "Somebody else"
    mine, theirs = (count(len(one), "shape") for one in (draft.shapes, draft.theirs.shapes))
    return f"{who} has reviewed this image meanwhile. Yours: {mine}; theirs, dashed: {theirs}."


def _theirs(draft: Draft | None) -> list[Json] | None:
    if draft is None or draft.theirs is None:
        return None
    return [shape_to_json(shape) for shape in draft.theirs.shapes]


def _css(colour: tuple[int, int, int]) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in colour)
