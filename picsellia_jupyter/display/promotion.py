"""A change of the champion as a card."""

from __future__ import annotations

from picsellia_jupyter.display import style
from picsellia_jupyter.domain.promotion import Rollout


def promoted_card(rollout: Rollout, deployment: str, told: str, back: str) -> str:
    """A version that has become the champion.

    Args:
        rollout: what was done.
        deployment: its name.
        told: what was done, in words.
        back: the line that undoes it.
    """
    parts = [
        '<div class="pxj-head">'
        f'<span class="pxj-name">{style.escape(rollout.title)}</span>'
        f'{style.flag("good", "champion")}<span class="pxj-muted">{style.escape(deployment)}</span>'
        "</div>",
        f"<p>{style.escape(told)}</p>",
        f'<div class="pxj-part"><p class="pxj-muted">To undo this</p>{style.lines([back])}</div>',
    ]
    label = f"{rollout.title} is the champion of {deployment}"
    return style.block(f'<div class="pxj-card">{"".join(parts)}</div>', label=label)
