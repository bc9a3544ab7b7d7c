"""Training anew."""

from __future__ import annotations

from typing import Protocol

from picsellia_jupyter.handles.deployment import Deployment
from picsellia_jupyter.handles.training import Run, Training


class FindsDeployments(Protocol):
    """Knows deployments by their names."""

    def deployment(self, name: str | None = None) -> Deployment:
        """One of them; the newest one if none is named."""


class Retraining:
    """Verbs on continuous training."""

    def retrain(self: FindsDeployments, name: str | None = None, *, on: str | None = None) -> Run:
        """Train a deployment's model now, the newest deployment's if none is named.

        What is set up of its continuous training says how and on what.

        Args:
            name: of the deployment.
            on: the name or address of a Jupyter server, a kernel of which does it.

        Raises:
            ConflictError: it is not set up, or a run is under way.
            LinkError: the place does not answer or does not let us in.
        """
        return self.deployment(name).training.start(on=on)

    def training(self: FindsDeployments, name: str | None = None) -> Training:
        """What is set up of a deployment's continuous training, and its runs."""
        return self.deployment(name).training
