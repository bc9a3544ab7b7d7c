"""Reviews, and what becomes of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.handles.campaigns import Campaign
from picsellia_jupyter.handles.deployment import Deployment
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

    def campaign(
        self,
        name: str | None,
        what: str = "progress",
        *,
        to: Sequence[str] = (),
        until: str | None = None,
        description: str = "",
    ) -> Campaign:
        """The review campaign of a deployment: `s.campaign("line", "create", to=["ann"])`.

        Args:
            name: of the deployment; the newest one without a name.
            what: `create`, `assign`, `progress`, `close` or `reopen`.
            to: names of users that the images are shared out to.
            until: when a new one is to be done, as 2027-01-31.
            description: what a new one is for.

        Raises:
            NotFoundError: there is no campaign, or no such user.
            ConflictError: there is one already, or it is closed.
            PlatformError: this is the cloud.
        """
        deployment = self.deployment(name)
        if what == "create":
            made = deployment.create_campaign(description, until=until)
            return made.assign(*to) if to else made
        campaign = deployment.campaign
        if what == "assign":
            return campaign.assign(*to)
        changes = {"close": campaign.close, "reopen": campaign.reopen}
        return changes.get(what, lambda: campaign)()

    @abstractmethod
    def deployment(self, name: str | None = None) -> Deployment:
        """A deployment by its name; the newest one if none is named."""

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
