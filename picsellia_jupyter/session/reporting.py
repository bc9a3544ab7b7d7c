"""Writes a bug report to a file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from picsellia_jupyter.display.bug_reports import report_text
from picsellia_jupyter.domain.diagnosis import Diagnosis, Fact
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.places import PlaceReport
from picsellia_jupyter.handles.diagnosis import BugReportView
from picsellia_jupyter.launch.examining import Examined, examine, redaction
from picsellia_jupyter.settings import Settings, whole_environment

FILE = "picsellia-report.md"


def write(
    settings: Settings,
    diagnosis: Diagnosis,
    places: Sequence[PlaceReport | Fact],
    path: str | Path | None,
) -> BugReportView:
    """Go through the machine, and write what is found.

    Raises:
        InvalidInputError: the file cannot be written.
    """
    environment = whole_environment()
    what = Examined(
        settings.home,
        settings.spools,
        environment,
        Path.home(),
        settings.platform_address,
        settings.token,
    )
    report, file = examine(what, diagnosis, places), Path(path or FILE).expanduser().absolute()
    try:
        # Without secrets, but still of one user's machine.
        with os.fdopen(_created(file), "w", encoding="utf-8") as stream:
            stream.write(report_text(report))
    except OSError as error:
        raise InvalidInputError(
            f"The report cannot be written to {str(file)!r}: {error.strerror}.",
            "Name a file elsewhere: %picsellia doctor --report FILE",
        ) from error
    return BugReportView(report, file, redaction(what)(str(file)))


def _created(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
