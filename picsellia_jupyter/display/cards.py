"""A deployment, and a few named facts, as a card: HTML, and text for terminals."""

from __future__ import annotations

from collections.abc import Mapping

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import aligned
from picsellia_jupyter.display.units import (
    milliseconds,
    printable,
)
from picsellia_jupyter.domain.deployments import (
    Check,
    DeploymentRecord,
    DryRun,
    ServingKernel,
    ServingState,
)
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.domain.running import ServedNow

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
    alerts: str = "",
) -> str:
    """A deployment as a card: what it is, how it is, what can be done with it.

    Args:
        record: what the platform says of it.
        dry_run: what its one trial prediction showed, where there was one.
        line: the magic it stands for; empty where it is not known.
        now: what its serving kernel says, where it was asked.
        code: Python that sends predictions to it, where the user serves it by hand.
        alerts: how many of its alerts are firing, in words; empty where none are watched.
    """
    name = f'<span class="pxj-name">{style.escape(record.name)}</span>'
    kind = f'<span class="pxj-muted">{style.escape(record.type.title)}</span>'
    facts = [(fact, style.escape(value)) for fact, value in _facts(record, dry_run, now, alerts)]
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
    record: DeploymentRecord,
    dry_run: DryRun | None,
    line: str,
    now: ServedNow | None = None,
    *,
    alerts: str = "",
) -> str:
    """A deployment in a few aligned lines."""
    head = f"{printable(record.name)}: {record.state.value} ({record.type.title})"
    facts = _facts(record, dry_run, now, alerts)
    if record.url:
        facts.append(("On the platform", record.url))
    if line:
        facts.append(("Run again", line))
    facts.append(("Next", "  ".join(_next_steps(record))))
    return "\n".join([head, *aligned(facts, indent="  ")])


def _facts(
    record: DeploymentRecord, dry_run: DryRun | None, now: ServedNow | None, alerts: str
) -> list[tuple[str, str]]:
    facts = [
        ("Why", "" if record.reason == record.state.value else record.reason),
        ("Model version", record.model_title or record.model_version_id),
        ("Strategy", record.strategy.title),
        ("Threshold", _threshold(record)),
        ("Datalake", record.datalake_name or record.datalake_id),
    ]
    if record.serving:
        facts += _serving_facts(record.serving, now or ServedNow())
    if record.inferences is not None:
        facts.append(("Inferences", f"{record.inferences:,}"))
    facts.append(("Alerts", printable(alerts)))
    if dry_run:
        facts.append(("Dry run", _dry_run(dry_run)))
        facts.append(("Checked", _checked(dry_run)))
        facts += [(f"⚠ {check.name}", _warning(check)) for check in dry_run.checks if check.remedy]
    return [(fact, value) for fact, value in facts if value]


def _serving_facts(serving: ServingKernel, now: ServedNow) -> list[tuple[str, str]]:
    # Its own address is no use on another machine than its own.
    where = f"{serving.place}, {now.address or serving.address}"
    facts = [
        ("Served", serving.place if now.trouble else where),
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
    ended = record.state in (ServingState.STOPPED, ServingState.NOT_SERVED)
    served = record.state is ServingState.HOSTED or (record.serving and not ended)
    return [f"%predict IMAGE… --on {word}", *steps] if served else steps


def _part(title: str, content: str) -> str:
    return f'<div class="pxj-part"><p class="pxj-muted">{style.escape(title)}</p>{content}</div>'


# Facts -------------------------------------------------------------------------------------


def status_card(rows: Mapping[str, str], *, title: str = "Picsellia") -> str:
    """A few named facts as a card."""
    head = f'<p class="pxj-head"><span class="pxj-name">{style.escape(title)}</span></p>'
    facts = style.rows((name, style.escape(value)) for name, value in rows.items())
    return style.block(f'<div class="pxj-card">{head}{facts}</div>', label=title)


def status_text(rows: Mapping[str, str]) -> str:
    """A few named facts in aligned lines."""
    return "\n".join(aligned(list(rows.items())))
