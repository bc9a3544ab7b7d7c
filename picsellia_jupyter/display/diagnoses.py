"""What runs on this machine and what is amiss, as text and as a card."""

from __future__ import annotations

from picsellia_jupyter.display import style
from picsellia_jupyter.display.tables import columns, html_table
from picsellia_jupyter.domain.diagnosis import Diagnosis, Finding, RunningKernel
from picsellia_jupyter.domain.idling import idle_in_words

HEADS = ("Serving kernel", "Serves", "Deployment", "Process", "Workers", "Ends when idle for")
NONE_RUN = "No serving kernel runs on this machine."
ALL_WELL = "Nothing is amiss."


def diagnosis_text(diagnosis: Diagnosis) -> str:
    """The kernels in a table, then what is amiss, a line each with its remedy below."""
    rows = [_cells(kernel) for kernel in diagnosis.kernels]
    lines = [columns(HEADS, rows) if rows else NONE_RUN, ""]
    for finding in diagnosis.findings:
        lines += [finding.what, f"  {_remedy(finding)}"]
    return "\n".join(lines if diagnosis.findings else [*lines, ALL_WELL])


def diagnosis_card(diagnosis: Diagnosis) -> str:
    """The same as HTML."""
    rows = [[style.escape(cell) for cell in _cells(kernel)] for kernel in diagnosis.kernels]
    table = html_table(HEADS, rows, numbers=("Process", "Workers")) if rows else _line(NONE_RUN)
    amiss = "".join(
        f"<li>{style.escape(finding.what)}<br><code>{style.escape(_remedy(finding))}</code></li>"
        for finding in diagnosis.findings
    )
    found = f'<ul class="pxj-lines pxj-part">{amiss}</ul>' if amiss else _line(ALL_WELL)
    return style.block(f'<div class="pxj-card">{table}{found}</div>', label="Diagnosis")


def _cells(kernel: RunningKernel) -> list[str]:
    return [
        kernel.kernel_id[:8],
        kernel.title or "nothing yet",
        (kernel.deployment_id or "none")[:8],
        str(kernel.pid),
        str(kernel.workers),
        idle_in_words(kernel.idle_s),
    ]


def _remedy(finding: Finding) -> str:
    return "Put right." if finding.fixed else finding.remedy


def _line(text: str) -> str:
    return f'<p class="pxj-part">{style.escape(text)}</p>'
