"""The outcome of `%picsellia doctor`, and of its `--report`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from picsellia_jupyter.domain.diagnosis import BugReport, Diagnosis


@dataclass(frozen=True, slots=True, eq=False)
class DiagnosisView:
    """The serving kernels of this machine and what is amiss; both are in `data`."""

    data: Diagnosis

    def __repr__(self) -> str:
        from picsellia_jupyter.display import diagnoses

        return diagnoses.diagnosis_text(self.data)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import diagnoses

        return {"text/html": diagnoses.diagnosis_card(self.data), "text/plain": repr(self)}


@dataclass(frozen=True, slots=True, eq=False)
class BugReportView:
    """What a bug report tells of a machine, in `data`; without secrets, as its file in `path`."""

    data: BugReport
    path: Path
    written: str
    """The same path, without the home directory."""

    def __repr__(self) -> str:
        from picsellia_jupyter.display import bug_reports

        said = bug_reports.written_text(self.written)
        return f"{bug_reports.report_text(self.data)}\n{said}"

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import bug_reports

        card = bug_reports.report_card(self.data, self.written)
        return {"text/html": card, "text/plain": repr(self)}
