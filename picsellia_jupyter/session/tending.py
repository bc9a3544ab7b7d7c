"""What serving kernels wrote and left behind on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from picsellia_jupyter.domain.diagnosis import Diagnosis, Fact, Finding
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.domain.places import PlaceReport
from picsellia_jupyter.handles.diagnosis import BugReportView, DiagnosisView
from picsellia_jupyter.launch import logs, strays
from picsellia_jupyter.session import reporting
from picsellia_jupyter.session.connected import Connected
from picsellia_jupyter.workflows import registry as finding


class Tending(Connected):
    """Verbs on serving kernels as programs."""

    def log(self, name: str, *, lines: int = 200) -> tuple[str, ...]:
        """The last lines that a deployment's serving kernel wrote, oldest first.

        Raises:
            NotFoundError: there is no deployment of that name, or no log of it here.
        """
        record = finding.find_deployment(self.platform, name)
        return logs.tail(self._settings.home, record, lines)

    def doctor(self, *, fix: bool = False) -> DiagnosisView:
        """The serving kernels of this machine, and what they left behind.

        Args:
            fix: whether to put right what can be.
        """
        found = self._diagnosis(fix)
        try:
            halted = strays.halted(self.platform.deployments(), found.kernels)
        except PicselliaJupyterError as error:
            halted = (Finding(error.fact, error.remedy),)
        return DiagnosisView(replace(found, findings=found.findings + halted))

    def bug_report(self, path: str | Path | None = None, *, fix: bool = False) -> BugReportView:
        """Write down what one must know of this machine to tell why something fails here.

        Versions, platform, places, GPU, spool, serving kernels, ports, proxies and netrc files,
        each with what can be done about it. Tokens, passwords and the home directory are not in
        it. No local platform is started for it.

        Args:
            path: of the file; `picsellia-report.md` in the working directory by default.
            fix: whether to put right first what serving kernels left behind.

        Raises:
            InvalidInputError: the file cannot be written.
        """
        return reporting.write(self._settings, self._diagnosis(fix), self._reached(), path)

    def _diagnosis(self, fix: bool) -> Diagnosis:
        return strays.diagnose(logs=self._settings.home / "cache" / "logs", fix=fix)

    def _reached(self) -> Sequence[PlaceReport | Fact]:
        try:
            return self._fleet.reports()
        except PicselliaJupyterError as error:
            return (Fact("Places", "saved places", error.fact, error.remedy),)
