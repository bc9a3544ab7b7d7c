"""What serving kernels wrote and left behind on this machine."""

from __future__ import annotations

from dataclasses import replace

from picsellia_jupyter.domain.diagnosis import Finding
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.handles.diagnosis import DiagnosisView
from picsellia_jupyter.launch import logs, strays
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
        logs = self._settings.home / "cache" / "logs"
        found = strays.diagnose(logs=logs, fix=fix)
        try:
            halted = strays.halted(self.platform.deployments(), found.kernels)
        except PicselliaJupyterError as error:
            halted = (Finding(error.fact, error.remedy),)
        return DiagnosisView(replace(found, findings=found.findings + halted))
