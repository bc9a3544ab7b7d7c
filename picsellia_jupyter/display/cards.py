"""Deployments, their progress, listings and status: as HTML, and as text for terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import aligned, columns, html_table
from picsellia_jupyter.display.units import (
    brief,
    count,
    local_time,
    milliseconds,
    printable,
)
from picsellia_jupyter.domain.deployments import (
    Check,
    DeploymentRecord,
    DryRun,
    Progress,
    ServingKernel,
    ServingState,
    Stage,
)
from picsellia_jupyter.domain.registry import Datalake, InferenceType, Model, ModelVersion
from picsellia_jupyter.domain.running import ServedNow

_NO_DEPLOYMENTS = "No deployments yet. Make one with: %deploy MODEL"
_NO_MODELS = (
    "The Private Model Registry has no models yet. "
    "Register the demo models with: picsellia-jupyter demo seed"
)
_MOST_LABELS = 12
"""Labels written out in the registry's table; the rest are counted."""


# What goes above something else ---------------------------------------------------------------


def with_note(html: str, note: str) -> str:
    """A block with a sentence above it that a reader must not miss; none where it is empty."""
    if not note:
        return html
    text = f'<p class="pxj-note" role="note">{style.escape(note)}</p>'
    return style.block(text, label="Note") + html


def with_note_text(text: str, note: str) -> str:
    """The same for terminals."""
    return f"Note: {note}\n{text}" if note else text


# A deployment --------------------------------------------------------------------------------


def deployment_card(
    record: DeploymentRecord,
    dry_run: DryRun | None,
    line: str,
    now: ServedNow | None = None,
    *,
    code: str | None = None,
) -> str:
    """A deployment as a card: what it is, how it is, what can be done with it.

    Args:
        record: what the platform says of it.
        dry_run: what its one trial prediction showed, where there was one.
        line: the magic it stands for; empty where it is not known.
        now: what its serving kernel says, where it was asked.
        code: Python that sends predictions to it, where the user serves it by hand.
    """
    name = f'<span class="pxj-name">{style.escape(record.name)}</span>'
    kind = f'<span class="pxj-muted">{style.escape(record.type.title)}</span>'
    facts = [(fact, style.escape(value)) for fact, value in _facts(record, dry_run, now)]
    if record.url and record.url.startswith(("http://", "https://")):
        url = style.escape(record.url)
        facts.append(("On the platform", f'<a href="{url}" rel="noreferrer">{url}</a>'))
    parts = [
        f'<div class="pxj-head">{name}{style.badge(record.state)}{kind}</div>',
        style.rows(facts),
        _part("Send predictions from your own infrastructure", style.listing(code)) if code else "",
        _part("To run this again", style.lines([line])) if line else "",
        _part("Next", style.lines(_next_steps(record))),
    ]
    label = f"Deployment {record.name}, {record.state.value}"
    return style.block(f'<div class="pxj-card">{"".join(parts)}</div>', label=label)


def deployment_text(
    record: DeploymentRecord, dry_run: DryRun | None, line: str, now: ServedNow | None = None
) -> str:
    """A deployment in a few aligned lines."""
    head = f"{printable(record.name)}: {record.state.value} ({record.type.title})"
    facts = _facts(record, dry_run, now)
    if line:
        facts.append(("Run again", line))
    facts.append(("Next", "  ".join(_next_steps(record))))
    return "\n".join([head, *aligned(facts, indent="  ")])


def _facts(
    record: DeploymentRecord, dry_run: DryRun | None, now: ServedNow | None
) -> list[tuple[str, str]]:
    facts = [
        ("Why", record.reason),
        ("Model version", record.model_title or record.model_version_id),
        ("Strategy", record.strategy.title),
        ("Threshold", _threshold(record)),
        ("Datalake", record.datalake_name or record.datalake_id),
    ]
    if record.serving:
        facts += _serving_facts(record.serving, now or ServedNow())
    facts.append(("Inferences", f"{record.inferences:,}"))
    if dry_run:
        facts.append(("Dry run", _dry_run(dry_run)))
        facts.append(("Checked", _checked(dry_run)))
        facts += [(f"⚠ {check.name}", _warning(check)) for check in dry_run.checks if check.remedy]
    return [(fact, value) for fact, value in facts if value]


def _serving_facts(serving: ServingKernel, now: ServedNow) -> list[tuple[str, str]]:
    # Its own address is no use on another machine than its own.
    facts = [
        ("Served", f"{serving.place}, {now.address or serving.address}"),
        ("Not reached", now.trouble),
    ]
    if now.running:
        facts.append(("Runs on", now.running.device_in_words()))
        facts.append(("Ends", now.running.end_in_words()))
        if now.running.relayed:
            facts.append(("Reports", "through this notebook; kept on its disk without one"))
    return facts


def _dry_run(dry_run: DryRun) -> str:
    # What was found in a made-up photo says nothing, so only its time is shown.
    took = milliseconds(dry_run.latency_s)
    return f"{took}, {dry_run.runtime}, sandbox: {dry_run.sandbox}"


def _checked(dry_run: DryRun) -> str:
    return ", ".join(f"✓ {check.name}" for check in dry_run.checks if not check.remedy)


def _warning(check: Check) -> str:
    return f"{check.found}. {check.remedy}"


def _threshold(record: DeploymentRecord) -> str:
    if record.type is InferenceType.CLASSIFICATION:
        return "none (classification)"
    return "none" if record.threshold is None else f"{record.threshold:g}"


def _next_steps(record: DeploymentRecord) -> list[str]:
    name = printable(record.name)
    word = f'"{name}"' if any(sign.isspace() for sign in name) else name
    steps = [f"%monitor {word} --last 24h", f"%undeploy {word}"]
    served = record.serving and record.state not in (ServingState.STOPPED, ServingState.NOT_SERVED)
    return [f"%predict IMAGE… --on {word}", *steps] if served else steps


def _part(title: str, content: str) -> str:
    return f'<div class="pxj-part"><p class="pxj-muted">{style.escape(title)}</p>{content}</div>'


# Progress ------------------------------------------------------------------------------------


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


# Listings ------------------------------------------------------------------------------------


def deployments_table(records: Sequence[DeploymentRecord]) -> str:
    """Deployments, one a row."""
    if not records:
        return style.block(f"<p>{style.escape(_NO_DEPLOYMENTS)}</p>", label="Deployments")
    body = [
        [
            f"<strong>{style.escape(record.name)}</strong>",
            style.badge(record.state),
            *(style.escape(cell) for cell in _deployment_cells(record)),
        ]
        for record in records
    ]
    return style.block(
        html_table(
            ["Name", "State", *_DEPLOYMENT_HEADS], body, numbers=("Inferences", "Threshold")
        ),
        label=count(len(records), "deployment"),
    )


def deployments_text(records: Sequence[DeploymentRecord]) -> str:
    """Deployments in aligned columns."""
    if not records:
        return _NO_DEPLOYMENTS
    rows = [[record.name, record.state.value, *_deployment_cells(record)] for record in records]
    return columns(["Name", "State", *_DEPLOYMENT_HEADS], rows)


_DEPLOYMENT_HEADS = ("Model version", "Strategy", "Place", "Threshold", "Inferences", "Created")


def _deployment_cells(record: DeploymentRecord) -> list[str]:
    return [
        record.model_title or record.model_version_id,
        record.strategy.title,
        record.serving.place if record.serving else "",
        "none" if record.threshold is None else f"{record.threshold:g}",
        f"{record.inferences:,}",
        local_time(record.created_at) if record.created_at is not None else "",
    ]


def datalakes_table(lakes: Sequence[Datalake]) -> str:
    """The datalakes, the default one first."""
    body = [[style.escape(cell) for cell in row] for row in _datalake_rows(lakes)]
    return style.block(
        html_table(list(_DATALAKE_HEADS), body),
        "<p>Store there with <code>%deploy MODEL --datalake NAME</code></p>",
        label=count(len(lakes), "datalake"),
    )


def datalakes_text(lakes: Sequence[Datalake]) -> str:
    """The datalakes in aligned columns."""
    return columns(list(_DATALAKE_HEADS), _datalake_rows(lakes))


_DATALAKE_HEADS = ("Datalake", "Used by default", "Id")


def _datalake_rows(lakes: Sequence[Datalake]) -> list[list[str]]:
    return [[lake.name, "" if place else "yes", lake.id] for place, lake in enumerate(lakes)]


def registry_table(models: Sequence[Model]) -> str:
    """The models of the Private Model Registry, one version a row."""
    if not models:
        return style.block(f"<p>{style.escape(_NO_MODELS)}</p>", label="Private Model Registry")
    body = [[style.escape(cell) for cell in row] for row in _registry_rows(models)]
    for row in body:
        row[0] = f"<strong>{row[0]}</strong>"
    return style.block(
        html_table(list(_REGISTRY_HEADS), body, wide=("Labels",)),
        "<p>Deploy one with <code>%deploy MODEL:VERSION</code></p>",
        label=f"Private Model Registry, {count(len(models), 'model')}",
    )


def registry_text(models: Sequence[Model]) -> str:
    """The models of the Private Model Registry in aligned columns."""
    if not models:
        return _NO_MODELS
    return columns(list(_REGISTRY_HEADS), _registry_rows(models))


_REGISTRY_HEADS = ("Model version", "Name", "Type", "Framework", "Labels")


def _registry_rows(models: Sequence[Model]) -> list[list[str]]:
    rows: list[list[str]] = []
    for model in models:
        rows += [_version_cells(version) for version in model.versions]
        if not model.versions:
            rows.append([model.name, "no version yet", "", "", ""])
    return rows


def _version_cells(version: ModelVersion) -> list[str]:
    names = [brief(name, most=24) for name in version.labels.values()]
    more = f" and {len(names) - _MOST_LABELS} more" if len(names) > _MOST_LABELS else ""
    return [
        version.title,
        version.name,
        version.type.title,
        version.framework.value.replace("_", " ").lower(),
        ", ".join(names[:_MOST_LABELS]) + more,
    ]


def status_card(rows: Mapping[str, str], *, title: str = "Picsellia") -> str:
    """A few named facts as a card."""
    head = f'<p class="pxj-head"><span class="pxj-name">{style.escape(title)}</span></p>'
    facts = style.rows((name, style.escape(value)) for name, value in rows.items())
    return style.block(f'<div class="pxj-card">{head}{facts}</div>', label=title)


def status_text(rows: Mapping[str, str]) -> str:
    """A few named facts in aligned lines."""
    return "\n".join(aligned(list(rows.items())))
