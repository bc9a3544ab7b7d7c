"""The guide of a Monitoring-only deployment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.workflows.interconnection import Wiring, curl_code, python_code


@dataclass(frozen=True, slots=True)
class Interconnection:
    """How a user's own server is connected to a deployment: `python` or `curl` to paste."""

    record: DeploymentRecord
    wiring: Wiring
    files: tuple[str, ...] = ()
    """Names of the model version's files."""
    deployment: Any = field(default=None, repr=False, compare=False)
    """The `Deployment`, which makes these; a kernel shows it as a guide that does the steps."""

    @property
    def python(self) -> str:
        """A program that sends each prediction with the official SDK."""
        return python_code(self.wiring)

    @property
    def curl(self) -> str:
        """Shell commands that send one prediction."""
        return curl_code(self.wiring)

    def __repr__(self) -> str:
        from picsellia_jupyter.display import guides

        return guides.interconnection_text(self.record, self.files, self.python)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import guides

        html = guides.interconnection_html(self.record, self.files, self.python, self.curl)
        return {"text/html": html, "text/plain": repr(self)}
