"""Training runs as cards and as text: how far, what was printed and noted, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import aligned, html_table
from picsellia_jupyter.display.units import brief, local_time, printable, span
from picsellia_jupyter.domain.evaluation import Difference, Interval
from picsellia_jupyter.domain.training import HeldOut, Metric, RunState, TrainingPlan, TrainingRun

_TONES: Mapping[RunState, str] = {
    RunState.WAITING: "off",
    RunState.RUNNING: "busy",
    RunState.SUCCESS: "good",
    RunState.FAILED: "bad",
    RunState.CANCELED: "warn",
}
_WIDTH, _HEIGHT = 132, 22
_HEADS = ["Run", "Begun", "Why", "State", "Version"]


def run_card(
    run: TrainingRun, metrics: Sequence[Metric] = (), lines: Sequence[str] = (), *, now: float
) -> str:
    """A run as a card.

    Args:
        run: as it is.
        metrics: what it noted.
        lines: the last ones that it printed.
        now: seconds since the epoch, for how long it has lasted.
    """
    facts = [(name, style.escape(value)) for name, value in _facts(run, now)]
    facts += [(one.name, _noted(one)) for one in metrics]
    bar = _bar(run.progress) if run.state is RunState.RUNNING else ""
    error = f'<p class="pxj-note" role="note">{style.escape(run.error)}</p>' if run.error else ""
    parts = [
        f'<div class="pxj-head"><span class="pxj-name">Training of {style.escape(run.base)}</span>'
        f"{style.flag(_TONES[run.state], run.state.value.lower())}</div>",
        bar,
        error,
        style.rows(facts),
        _compared(run.held_out),
        _printed(lines) if lines else "",
    ]
    label = f"Training run of {run.base}, {run.state.value.lower()}"
    return style.block(f'<div class="pxj-card">{"".join(parts)}</div>', label=label)


def run_text(run: TrainingRun, metrics: Sequence[Metric] = (), now: float | None = None) -> str:
    """The same in a few aligned lines."""
    head = f"Training of {printable(run.base)}: {run.state.value.lower()}"
    facts = _facts(run, now)
    facts += [(one.name, f"{one.values[-1]:.4g}") for one in metrics]
    facts += _differences(run.held_out)
    facts += [("Error", run.error)] if run.error else []
    return "\n".join([head, *aligned(facts, indent="  ")])


def plan_card(name: str, plan: TrainingPlan, runs: Sequence[TrainingRun]) -> str:
    """What is set up of continuous training, and its runs."""
    facts = style.rows((fact, style.escape(value)) for fact, value in _plan(plan))
    head = f'<span class="pxj-name">Training of {style.escape(name)}</span>'
    state = style.flag(*_plan_state(plan))
    body = [[style.escape(one) for one in _row(run)] for run in runs]
    table = html_table(_HEADS, body) if runs else ""
    return style.block(
        f'<div class="pxj-card"><div class="pxj-head">{head}{state}</div>{facts}</div>{table}',
        label=f"Continuous training of {name}",
    )


def plan_text(name: str, plan: TrainingPlan, runs: Sequence[TrainingRun]) -> str:
    """The same for terminals."""
    head = f"Training of {printable(name)}: {_plan_state(plan)[1]}"
    body = [f"  {'  '.join(_row(run))}" for run in runs]
    return "\n".join([head, *aligned(_plan(plan), indent="  "), *body])


# A run -------------------------------------------------------------------------------------------


def _facts(run: TrainingRun, now: float | None) -> list[tuple[str, str]]:
    end = run.ended_at if run.ended_at is not None else now
    took = "" if run.started_at is None or end is None else span(max(end - run.started_at, 0.0))
    facts = [
        ("Why", run.said),
        ("Place", run.place),
        ("Now", run.step),
        ("Experiment", run.experiment),
        ("Begun", local_time(run.created_at)),
        ("Took" if run.state.is_over else "Runs for", took),
        ("Tries", str(run.attempt) if run.attempt > 1 else ""),
        ("New version", run.version),
    ]
    return [(name, value) for name, value in facts if value]


def _bar(progress: float) -> str:
    percent = f"{progress:.0%}"
    return (
        f'<div role="progressbar" aria-valuenow="{progress * 100:.0f}" aria-valuemin="0" '
        f'aria-valuemax="100" aria-label="Cells of the notebook that are done" '
        'style="height:6px;border-radius:3px;background:rgba(128,128,128,.25);margin:0 0 8px">'
        f'<div style="width:{percent};height:6px;border-radius:3px;'
        'background:rgb(9,98,204)"></div></div>'
    )


def _noted(metric: Metric) -> str:
    newest = f"{metric.values[-1]:.4g}"
    return newest if len(metric.values) < 2 else f"{newest} {_curve(metric)}"


def _curve(metric: Metric) -> str:
    """The values as a line, small enough for a row."""
    low, high = min(metric.values), max(metric.values)
    reach = (high - low) or 1.0
    step = (_WIDTH - 4) / (len(metric.values) - 1)
    points = " ".join(
        f"{2 + row * step:.1f},{2 + (_HEIGHT - 4) * (high - value) / reach:.1f}"
        for row, value in enumerate(metric.values)
    )
    said = f"{metric.name}: {metric.values[0]:.4g} at first, {metric.values[-1]:.4g} now"
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="{style.escape(said)}" '
        f'style="vertical-align:middle"><polyline points="{points}" fill="none" '
        'stroke="currentColor" stroke-width="1.5"/></svg>'
    )


def _printed(lines: Sequence[str]) -> str:
    code = style.listing("\n".join(brief(line, most=160) for line in lines))
    return f'<div class="pxj-part"><p class="pxj-muted">Printed last</p>{code}</div>'


# Champion and challenger -------------------------------------------------------------------------


def _compared(held_out: HeldOut | None) -> str:
    if held_out is None:
        return ""
    found = held_out.comparison
    head = f'<p class="pxj-muted">On {style.escape(held_out.dataset)}, held out'
    head += f", {found.images:,} images</p>" if found else "</p>"
    table = ""
    if found is not None:
        heads = ["Measure", found.champion, found.shadow, "Gain"]
        body = [[style.escape(name), *_intervals(one)] for name, one in found.scores.items()]
        table = html_table(heads, body)
    said = f"<p>{style.escape(held_out.said)}</p>" if held_out.said else ""
    return f'<div class="pxj-part">{head}{table}{said}</div>'


def _differences(held_out: HeldOut | None) -> list[tuple[str, str]]:
    if held_out is None:
        return []
    found = held_out.comparison
    facts = [("Held out", f"{held_out.dataset}{f', {found.images:,} images' if found else ''}")]
    for name, one in (found.scores if found else {}).items():
        old, new, gain = _intervals(one)
        facts.append((name, f"{old} to {new}: {gain}"))
    return [*facts, ("Note", held_out.said)] if held_out.said else facts


def _intervals(one: Difference) -> tuple[str, str, str]:
    return _interval(one.champion), _interval(one.shadow), _interval(one.gain, sign="+")


def _interval(one: Interval, sign: str = "") -> str:
    return f"{one.value:{sign}.3f} ({one.low:{sign}.3f} to {one.high:{sign}.3f})"


# What is set up ----------------------------------------------------------------------------------


def _plan(plan: TrainingPlan) -> list[tuple[str, str]]:
    if not plan.is_set_up:
        return [("Set it up", "deployment.setup_continuous_training(project, …)")]
    reviews = f"{plan.untrained:,} since the last run"
    reviews += f", {plan.threshold:,} set off the next one" if plan.threshold else ""
    facts = [
        ("Project", plan.project),
        ("Reviews", reviews),
        ("Data", ", ".join(f"{name}: {title}" for name, title in plan.datasets.items()) or "none"),
        ("Parameters", ", ".join(f"{name}={value}" for name, value in plan.parameters.items())),
    ]
    return [(name, value) for name, value in facts if value]


def _plan_state(plan: TrainingPlan) -> tuple[str, str]:
    if not plan.is_set_up:
        return "off", "not set up"
    return ("good", "active") if plan.is_active else ("warn", "paused")


def _row(run: TrainingRun) -> list[str]:
    return [
        run.experiment or "-",
        local_time(run.created_at),
        run.cause.value,
        run.state.value.lower(),
        run.version or "-",
    ]
