"""How far predicting on many images is: as HTML, and as text for terminals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from picsellia_jupyter.display import pictures, style
from picsellia_jupyter.display.captions import Labels
from picsellia_jupyter.display.embedding import Shown
from picsellia_jupyter.display.units import count, span


@dataclass(frozen=True, slots=True)
class BatchState:
    """Where predicting on many images stands."""

    done: int
    """Images that are predicted on or have failed."""
    total: int
    failed: int
    elapsed_s: float
    stopped: bool = False
    """Whether it ended early."""
    kept: bool = False
    """Whether what was done until then is returned all the same."""

    @property
    def left_s(self) -> float:
        """Seconds it will still take, at the pace so far."""
        return self.elapsed_s / max(1, self.done) * (self.total - self.done)


def batch_text(state: BatchState) -> str:
    """Where it stands, in one line."""
    if state.done == state.total:
        parts = [count(state.total, "image"), f"in {span(round(state.elapsed_s, 1))}"]
    else:
        parts = [f"{state.done:,} of {count(state.total, 'image')}"]
        parts.append("stopped" if state.stopped else f"{span(round(state.left_s))} left")
    if state.failed:
        parts.append(f"{state.failed:,} failed")
    if state.stopped and state.kept and state.done < state.total:
        parts.append("d.predict(found.undone) goes on")
    return " · ".join(parts)


def batch_html(
    state: BatchState,
    recent: Sequence[Shown],
    labels: Labels,
    threshold: float | None,
) -> str:
    """A bar, where it stands, and small pictures of the images done last."""
    text = batch_text(state)
    bar = (
        f'<progress max="{state.total}" value="{state.done}" aria-label="Images predicted">'
        f"</progress>"
        if state.done < state.total and not state.stopped
        else ""
    )
    return style.block(
        f'<p class="pxj-head">{bar}<span>{style.escape(text)}</span></p>',
        pictures.strip_html(recent, labels, threshold) if recent else "",
        label="Predicting on images",
    )
