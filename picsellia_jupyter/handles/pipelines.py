"""The circle of a deployment, in a user's hand."""

from __future__ import annotations

from dataclasses import dataclass

from picsellia_jupyter.domain.pipelines import Part, PipelineFacts
from picsellia_jupyter.workflows.pipelines import parts_of


@dataclass(frozen=True, slots=True, repr=False)
class PipelineView:
    """Everything from predictions to the next champion; shows itself as one picture."""

    facts: PipelineFacts
    """Counts and states, as the platform had them at one moment."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The seven parts, in the order in which they lead to one another."""
        return parts_of(self.facts)

    def __repr__(self) -> str:
        lines = [f"Pipeline of {self.facts.deployment}"]
        for part in self.parts:
            lines += [f"  {part.in_words()}", f"    {part.line}"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from picsellia_jupyter.display.pipeline import pipeline_html

        return pipeline_html(self.facts.deployment, self.parts)
