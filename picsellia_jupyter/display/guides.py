"""The way of a Monitoring-only deployment: files, connection, check. HTML, and text."""

from __future__ import annotations

from collections.abc import Sequence

from picsellia_jupyter.display import style
from picsellia_jupyter.display.units import printable
from picsellia_jupyter.domain.deployments import DeploymentRecord

_KEPT = (
    "What cannot be sent is said and then lost; a serving kernel keeps it on its disk and "
    "sends it later."
)


def line(name: str) -> str:
    """The magic that shows the guide of a deployment."""
    return f"%interconnect {word(name)}"


def word(text: str) -> str:
    """One word of a magic's line."""
    shown = printable(text)
    return f'"{shown}"' if any(sign.isspace() for sign in shown) else shown


def interconnection_html(
    record: DeploymentRecord, files: Sequence[str], python: str, curl: str
) -> str:
    """A guide in three parts that needs no widget.

    Args:
        record: the deployment.
        files: names of the model version's files.
        python: the program to paste.
        curl: the same as shell commands.
    """
    typed = line(record.name)
    name = f'<span class="pxj-name">{style.escape(record.name)}</span>'
    kind = f'<span class="pxj-muted">{style.escape(record.type.title)}</span>'
    parts = [
        f'<div class="pxj-head">{name}{style.badge(record.state)}{kind}</div>',
        _part(
            "1. Download the model files",
            _sentence(_files(files)),
            style.lines([f"{typed} --download my-server"]),
        ),
        _part(
            "2. Connect your server",
            _sentence("Paste this where your model runs, and put your model into predict()."),
            style.listing(python),
            _folded("The same with curl", style.listing(curl)),
        ),
        _part(
            "Or have a serving kernel do it",
            _sentence(f"{_KEPT} This starts one here, or at a place of yours:"),
            style.lines([_serving_line(record)]),
        ),
        _part(
            "3. Check that it works",
            _sentence("Waits for the first prediction, and shows it:"),
            style.lines([f"{typed} --check"]),
        ),
    ]
    label = f"How to connect your server to {record.name}"
    return style.block(f'<div class="pxj-card">{"".join(parts)}</div>', label=label)


def files_html(files: Sequence[str]) -> str:
    """What there is to download."""
    return style.block(_sentence(_files(files)), label="Model files")


def code_html(python: str, curl: str) -> str:
    """The program to paste, and the same as shell commands."""
    return style.block(
        _sentence("Paste this where your model runs, and put your model into predict()."),
        style.listing(python),
        _folded("The same with curl", style.listing(curl)),
        label="Code to paste",
    )


def serving_html() -> str:
    """What a serving kernel does better than code that was pasted."""
    return style.block(_sentence(_KEPT), label="A serving kernel")


def interconnection_text(record: DeploymentRecord, files: Sequence[str], python: str) -> str:
    """The same for terminals."""
    typed = line(record.name)
    return "\n\n".join(
        [
            f"1. Download the model files. {_files(files)}\n   {typed} --download my-server",
            f"2. Connect your server: put your model into predict().\n\n{python}",
            f"Or have a serving kernel do it. {_KEPT}\n   {_serving_line(record)}",
            f"3. Check that it works.\n   {typed} --check",
        ]
    )


def waiting_text(name: str, waited_s: float, timeout_s: float) -> str:
    """What is waited for, and how long yet."""
    return (
        f"Waiting for the first prediction of {printable(name)}: {waited_s:.0f} of "
        f"{timeout_s:.0f} s. Interrupt the cell to stop waiting."
    )


def arrived_text(name: str) -> str:
    """That there is one."""
    return f"The newest prediction of {printable(name)}:"


def waiting_html(said: str) -> str:
    """A sentence on what goes on."""
    return style.block(_sentence(said), label=said)


def _files(files: Sequence[str]) -> str:
    return f"Its files are {', '.join(map(printable, files))}." if files else "It has no files yet."


def _serving_line(record: DeploymentRecord) -> str:
    """The magic that has a serving kernel do it."""
    served = record.line()
    return served if " --on " in served else f"{served} --on local"


def _part(title: str, *content: str) -> str:
    head = f"<p><strong>{style.escape(title)}</strong></p>"
    return f'<div class="pxj-part">{head}{"".join(content)}</div>'


def _sentence(text: str) -> str:
    return f"<p>{style.escape(text)}</p>"


def _folded(title: str, content: str) -> str:
    return f"<details><summary>{style.escape(title)}</summary>{content}</details>"
