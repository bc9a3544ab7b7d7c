"""The stages of a deployment that is being made: as HTML, and as text for terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from picsellia_jupyter.display import style
from picsellia_jupyter.display.units import printable
from picsellia_jupyter.domain.deployments import Progress, Stage


def noted(steps: Sequence[Progress], progress: Progress) -> tuple[Progress, ...]:
    """The steps with a stage that has begun, or with the newest word of the one that lasts."""
    if not steps or steps[-1].stage is not progress.stage:
        return (*steps, progress)
    return (*steps[:-1], replace(steps[-1], detail=progress.detail))


def progress_card(
    steps: Sequence[Progress], total_elapsed: float, failed: str | None = None
) -> str:
    """The stages of a deployment, with the one that lasts.

    Args:
        steps: stages that have begun, in their order.
        total_elapsed: seconds since the deployment began.
        failed: why it ended before it was ready, in words.
    """
    items = "".join(_stage_html(*stage) for stage in _stages(steps, total_elapsed, failed))
    head = _progress_head(steps, total_elapsed, failed)
    reason = f'<p class="pxj-part">{style.escape(failed)}</p>' if failed else ""
    return style.block(
        f'<div class="pxj-card"><p class="pxj-head"><strong>{style.escape(head)}</strong></p>'
        f'<ol class="pxj-steps">{items}</ol>{reason}</div>',
        label=head,
    )


def progress_text(
    steps: Sequence[Progress], total_elapsed: float, failed: str | None = None
) -> str:
    """The stages of a deployment in one line, and what is being done in another."""
    stages = _stages(steps, total_elapsed, failed)
    marks = [f"{_MARKS[state]} {stage.value}" for stage, state, _, _ in stages]
    head = _progress_head(steps, total_elapsed, failed)
    detail = failed or (steps[-1].detail if steps else "")
    return f"{'  '.join(marks)}\n{head}{': ' + _one_line(detail) if detail else ''}"


_MARKS = {"done": "✓", "now": "→", "failed": "✗", "skipped": "–", "ahead": "·"}  # noqa: RUF001
_Row = tuple[Stage, str, str, "float | None"]
"""A stage, its state as a key of `_MARKS`, its detail, the seconds it took or has lasted."""


def _stages(steps: Sequence[Progress], total_elapsed: float, failed: str | None) -> list[_Row]:
    began: dict[Stage, float] = {}
    for step in steps:
        began.setdefault(step.stage, step.elapsed_s)
    details = {step.stage: step.detail for step in steps}
    return [
        (stage, _state(stage, began, failed), details.get(stage, ""), took)
        for stage, took in ((stage, _took(stage, began, total_elapsed)) for stage in Stage)
    ]


def _state(stage: Stage, began: Mapping[Stage, float], failed: str | None) -> str:
    """Where a stage stands, as a key of `_MARKS`; the last one that began still lasts."""
    last = next((other for other in reversed(Stage) if other in began), None)
    if stage is last:
        if failed:
            return "failed"
        return "done" if stage is Stage.READY else "now"
    if stage in began:
        return "done"
    return "skipped" if last in _after(stage) else "ahead"


def _took(stage: Stage, began: Mapping[Stage, float], total_elapsed: float) -> float | None:
    """Seconds until the next stage began, or until now; being ready takes none."""
    if stage not in began or stage is Stage.READY:
        return None
    ended = min((began[later] for later in _after(stage) if later in began), default=total_elapsed)
    return max(0.0, ended - began[stage])


def _after(stage: Stage) -> list[Stage]:
    order = list(Stage)
    return order[order.index(stage) + 1 :]


def _stage_html(stage: Stage, state: str, detail: str, took: float | None) -> str:
    current = ' class="pxj-now" aria-current="step"' if state == "now" else ""
    seconds = f"{took:.1f} s" if took is not None else ""
    mark = f'<span role="img" aria-label="{_SPOKEN[state]}">{_MARKS[state]}</span>'
    return (
        f"<li{current}>{mark}<span>{style.escape(stage.value.capitalize())}</span>"
        f'<span class="pxj-muted">{style.escape(_one_line(detail))}</span>'
        f'<span class="pxj-number">{seconds}</span></li>'
    )


_SPOKEN = {
    "done": "done",
    "now": "under way",
    "failed": "failed",
    "skipped": "not needed",
    "ahead": "to come",
}


def _progress_head(steps: Sequence[Progress], total_elapsed: float, failed: str | None) -> str:
    if failed:
        where = f" at {steps[-1].stage.value}" if steps else ""
        return f"Not deployed: ended{where} after {total_elapsed:.1f} s"
    if steps and steps[-1].stage is Stage.READY:
        return f"Ready after {total_elapsed:.1f} s"
    return f"Deploying, {total_elapsed:.1f} s"


def _one_line(text: str) -> str:
    return printable(" ".join(text.split()))
