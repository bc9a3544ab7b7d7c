"""Who is champion of a deployment."""

from __future__ import annotations

from abc import abstractmethod

from picsellia_jupyter.handles.deployment import Deployment
from picsellia_jupyter.handles.pipelines import PipelineView
from picsellia_jupyter.handles.promoting import Promoted


class Promoting:
    """Verbs on the champion."""

    @abstractmethod
    def deployment(self, name: str | None = None) -> Deployment:
        """A deployment by its name; the newest one if none is named."""

    def promote(
        self,
        name: str,
        version: str | None = None,
        *,
        force: bool = False,
        keep_as_shadow: bool = False,
    ) -> Promoted:
        """Make a version the champion of a deployment: `s.promote("my-line")`.

        Args:
            name: of the deployment.
            version: `digits-detector:2`, or `2` of the same model; the shadow without one.
            force: whatever the gate says; that is noted.
            keep_as_shadow: have the champion before predict in the new one's shadow.

        Raises:
            ConflictError: the gate does not let it, or there is no shadow.
            ServingError: it could not be loaded; the champion stays.
        """
        return self.deployment(name).promote(version, force=force, keep_as_shadow=keep_as_shadow)

    def pipeline(self, name: str | None = None) -> PipelineView:
        """Everything from a deployment's predictions to its next champion, as one picture.

        Raises:
            NotFoundError: there is no such deployment.
            PlatformError: this is the cloud, where it is on its page.
        """
        return self.deployment(name).pipeline()

    def rollback(self, name: str) -> Promoted:
        """Make the champion before the champion again: `s.rollback("my-line")`.

        Raises:
            ConflictError: there was none.
            ServingError: it could not be loaded; the champion stays.
        """
        return self.deployment(name).rollback()
