"""Reviews, and what becomes of them."""

from __future__ import annotations

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import InvalidInputError
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

    def feed(self, name: str, dataset_version: str) -> tuple[str, ...]:
        """Have a deployment's submitted reviews go into a dataset: `s.feed("line", "parts/v2")`.

        Returns:
            All dataset versions that they go into now.

        Raises:
            NotFoundError: there is no such deployment, dataset or version.
            ConflictError: they go there already.
        """
        dataset, _, version = dataset_version.rpartition("/")
        if not dataset or not version:
            raise InvalidInputError(
                f"{dataset_version!r} names no dataset version.", "Name both: parts/v2."
            )
        record = self._reviewed_record(name)
        self.platform.feed(record, dataset, version)
        return self.platform.fed(record)

    def fed(self, name: str | None = None) -> tuple[str, ...]:
        """The dataset versions that a deployment's submitted reviews go into."""
        return self.platform.fed(self._reviewed_record(name))

    def _reviewed_record(self, name: str | None) -> DeploymentRecord:
        if name is None:
            return finding.only_deployment(self.platform.deployments(), verb="review")
        return finding.find_deployment(self.platform, name)
