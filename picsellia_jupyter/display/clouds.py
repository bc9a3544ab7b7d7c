"""A deployment on a cloud: what the platform tells of it, and what is seen of it from here."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import aligned
from picsellia_jupyter.display.units import count, local_time, milliseconds, printable, span
from picsellia_jupyter.domain.cloud_figures import CloudReport, CrossCheck, Figure, Told
from picsellia_jupyter.domain.monitoring import Dashboard
from picsellia_jupyter.domain.running import Running

_OUTDATED = "of an older computation, or of none: Compute, on its page, makes them anew"
_NOTHING = "nothing"


def html(report: CloudReport) -> str:
    """The platform's figures first, ours below them."""
    name = f'<span class="pxj-name">{style.escape(report.deployment)}</span>'
    where = f'<span class="pxj-muted">{style.escape(_range(report))}</span>'
    said = "".join(f"<p>{style.escape(one)}</p>" for one in _sentences(report))
    parts = [
        f'<div class="pxj-head">{name}{where}</div>{said}{_link(report.url)}',
        _part(f"What {report.host} tells", "".join(map(_told, report.told))),
        _part(
            "Seen from here, as a cross-check",
            style.rows((fact, style.escape(value)) for fact, value in ours(report.ours)),
        ),
    ]
    label = f"Figures of {report.deployment}"
    return style.block(f'<div class="pxj-card">{"".join(parts)}</div>', label=label)


def text(report: CloudReport) -> str:
    """The same for terminals."""
    lines = [f"{printable(report.deployment)}, {_range(report)}", *_sentences(report)]
    lines += [f"Open {report.url}", f"What {report.host} tells"]
    for one in report.told:
        lines.append(f"  {one.service}{_remark(one)}")
        figures = [(path, _value(value)) for path, value in one.figures]
        lines += aligned(figures, indent="    ")
    return "\n".join(
        [*lines, "Seen from here, as a cross-check", *aligned(ours(report.ours), indent="  ")]
    )


def ours(check: CrossCheck) -> list[tuple[str, str]]:
    """What is known here, by name."""
    facts = []
    if check.recorded is not None:
        facts.append(("Recorded", count(check.recorded, "prediction with an image", _PLURAL)))
    if check.running is not None and check.running.predicted is not None:
        facts += _counted(check.running, check.running.predicted)
    if check.computed is not None:
        facts += _computed(check.computed)
    elif check.why_not:
        facts.append(("Not computed", check.why_not))
    return facts or [("Known", _NOTHING)]


_PLURAL = "predictions with an image"


def _counted(running: Running, predicted: int) -> list[tuple[str, str]]:
    mean = milliseconds(running.latency_s / predicted) if predicted else "none"
    return [
        ("Serving kernel", f"{predicted:,} predicted, {running.failed:,} failed, "
         f"{running.recorded:,} recorded since it began"),
        ("Its mean latency", mean),
    ]  # fmt: skip


def _computed(found: Dashboard) -> list[tuple[str, str]]:
    labels = ", ".join(f"{name}: {number:,}" for name, number in found.label_counts.items())
    return [
        ("Inferences", f"{found.inferences:,}, computed here from the single predictions it tells"),
        ("Latency", f"mean {milliseconds(found.mean_latency_s)}, p50 {milliseconds(found.p50_s)}, "
         f"p95 {milliseconds(found.p95_s)}, p99 {milliseconds(found.p99_s)}"),
        ("Labels", labels or "none"),
    ]  # fmt: skip


def _sentences(report: CloudReport) -> Sequence[str]:
    host, check = report.host, report.ours
    said = f"{host} draws the dashboard of {report.deployment!r} itself."
    if check.recorded is not None:
        said += f" It has {count(check.recorded, 'prediction with an image', _PLURAL)}."
    if check.twice:
        said += f" {check.twice:,} of the newest are there more than once: their reply was lost."
    return [said, *report.notices]


def _range(report: CloudReport) -> str:
    if report.since is None:
        return f"all until {local_time(report.until)}"
    return f"{span(report.until - report.since)} until {local_time(report.until)}"


def _told(one: Told) -> str:
    head = f'<p class="pxj-muted"><code>{one.service}</code>{style.escape(_remark(one))}</p>'
    figures = [(path, style.escape(_value(value))) for path, value in one.figures]
    return head + (style.rows(figures) if figures else "")


def _remark(one: Told) -> str:
    if one.trouble:
        return f": not told. {one.trouble}"
    remarks = [_OUTDATED] if one.is_outdated else []
    remarks += [f"{one.left_out:,} more left out"] if one.left_out else []
    remarks += [] if one.figures else [_NOTHING]
    return f": {'; '.join(remarks)}" if remarks else ""


def _value(value: Figure) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _link(url: str) -> str:
    safe = style.escape(url)
    return f'<a href="{safe}" rel="noreferrer">{safe}</a>' if url.startswith("http") else safe


def _part(title: str, content: str) -> str:
    return f'<div class="pxj-part"><p><strong>{style.escape(title)}</strong></p>{content}</div>'
