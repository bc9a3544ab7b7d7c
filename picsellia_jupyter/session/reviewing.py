"""Reviews, and what becomes of them."""

from __future__ import annotations

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.handles.reviews import Reviews, open_reviews
from picsellia_jupyter.session.connected import Connected
from picsellia_jupyter.workflows import registry as finding


class Reviewing(Connected):
    """Verbs on reviews."""

    def reviews(
        self,
        name: str | None = None,
        *,
        policy: str = "random",
        limit: int = 100,
        label: str | None = None,
    ) -> Reviews:
        """What is to be reviewed of a deployment, the newest one if none is named.

        Raises:
            NotFoundError: there is no such deployment, policy or label.
            InvalidInputError: nothing is known that the policy could go by.
            PlatformError: this is the cloud.
        """
        record = self._reviewed_record(name)
        return open_reviews(self.platform, record, policy, limit=limit, label=label)

    def _reviewed_record(self, name: str | None) -> DeploymentRecord:
        if name is None:
            return finding.only_deployment(self.platform.deployments(), verb="review")
        return finding.find_deployment(self.platform, name)
