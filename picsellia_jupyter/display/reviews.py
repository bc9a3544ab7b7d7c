"""How far the reviews of a deployment are, as a card and as text."""

from __future__ import annotations

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import aligned
from picsellia_jupyter.display.units import count, printable
from picsellia_jupyter.domain.reviews import Policy, Queue, ReviewCounts

_CHOICES = {
    Policy.RANDOM: "at random, so that metrics speak for all images",
    Policy.UNCERTAIN: "the most uncertain first",
    Policy.OUTLIERS: "least like the training data first",
    Policy.DISAGREEMENTS: "where champion and shadow differ most first",
    Policy.CAMPAIGN: "your share of the campaign, the oldest first",
    Policy.LABEL: "those with {label!r} first",
}


def choice(queue: Queue) -> str:
    """How the images of a queue were chosen, in words."""
    chosen = _CHOICES[queue.policy].format(label=queue.label)
    return f"{count(len(queue.items), 'image')} of {queue.candidates:,}, {chosen}"


def line(name: str, queue: Queue) -> str:
    """The magic that a queue stands for."""
    word = f'"{printable(name)}"' if any(sign.isspace() for sign in name) else printable(name)
    options = "" if queue.policy is Policy.RANDOM else f" --policy {queue.policy.value}"
    return f"%review {word}{options}" + (f' --label "{queue.label}"' if queue.label else "")


def facts(queue: Queue, counts: ReviewCounts) -> list[tuple[str, str]]:
    """What is said of a queue, by name."""
    return [
        ("Queue", choice(queue)),
        ("To review", f"{counts.to_review:,}"),
        ("Reviewed", f"{counts.reviewed:,}"),
        ("Submitted", f"{counts.submitted:,}"),
    ]


def card(name: str, queue: Queue, counts: ReviewCounts, note: str = "") -> str:
    """The reviews of a deployment as a card."""
    head = f'<span class="pxj-name">Reviews of {style.escape(name)}</span>'
    rows = style.rows((fact, style.escape(value)) for fact, value in facts(queue, counts))
    said = f"<p>{style.escape(note)}</p>" if note else ""
    again = '<div class="pxj-part"><p class="pxj-muted">To go on</p>'
    body = f'<div class="pxj-head">{head}</div>{said}{rows}{again}'
    lines = style.lines([line(name, queue)])
    return style.block(
        f'<div class="pxj-card">{body}{lines}</div></div>', label=f"Reviews of {name}"
    )


def queue_text(name: str, queue: Queue, counts: ReviewCounts, note: str = "") -> str:
    """The same for terminals."""
    head = f"Reviews of {printable(name)}{': ' + note if note else ''}"
    return "\n".join([head, *aligned(facts(queue, counts), indent="  ")])
