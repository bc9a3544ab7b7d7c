"""An evaluation in a user's hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.evaluation import EvaluationReport


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationView:
    """How well predictions agree with their reviews; the figures are in `data`."""

    data: EvaluationReport

    def __getitem__(self, name: str) -> float | None:
        """One figure: `d.evaluate()["ap_50"]`; None where there is no ground truth."""
        return self.data.scores[name]

    def __repr__(self) -> str:
        from picsellia_jupyter.display import evaluation

        return evaluation.text(self.data)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import evaluation

        return {"text/html": evaluation.html(self.data), "text/plain": repr(self)}
