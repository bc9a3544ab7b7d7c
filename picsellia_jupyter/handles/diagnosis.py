"""The outcome of `%picsellia doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.diagnosis import Diagnosis


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
