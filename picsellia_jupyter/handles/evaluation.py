"""An evaluation in a user's hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.evaluation import EvaluationReport


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationView:
    """How well predictions agree with their reviews; the figures are in `data`."""

    data: EvaluationReport

    def __getitem__(self, name: str) -> float | None:
        """One figure: `d.evaluate()["ap_50"]`; None where there is no ground truth.

        Raises:
            NotFoundError: such a report has no figure of that name.
        """
        scores = self.data.scores
        if scores and name not in scores:
            raise NotFoundError.named("figure", name, sorted(scores))
        return scores.get(name)

    def __repr__(self) -> str:
        from picsellia_jupyter.display import evaluation

        return evaluation.text(self.data)

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display import evaluation

        return {"text/html": evaluation.html(self.data), "text/plain": repr(self)}
