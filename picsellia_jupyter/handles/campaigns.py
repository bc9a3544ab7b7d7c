"""A review campaign in a user's hand."""

from __future__ import annotations

from datetime import date
from typing import Any

from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.campaigns import Progress
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.domain.reviews import Policy
from picsellia_jupyter.handles.deployed import Deployed
from picsellia_jupyter.handles.reviews import Reviews, open_reviews


class Campaign:
    """Who looks at which images of a deployment; shows itself as how far they are.

    Example:
        >>> c = d.create_campaign("before the audit")  # doctest: +SKIP
        >>> c.assign("ann", "bob")  # doctest: +SKIP
    """

    def __init__(self, platform: PlatformClient, record: DeploymentRecord, ident: str) -> None:
        self._platform, self._record = platform, record
        self.id = ident

    def assign(self, *usernames: str) -> Campaign:
        """Take in what is to be reviewed, and share all that is open out evenly.

        Raises:
            NotFoundError: there is no such user.
            InvalidInputError: nobody is named.
            ConflictError: the campaign is closed.
        """
        if not usernames:
            raise InvalidInputError(
                "Nobody is named.", f'Name who reviews: c.assign("{self._platform.username}")'
            )
        self._platform.assign_campaign(self.id, usernames)
        return self

    @property
    def progress(self) -> Progress:
        """How far it is, now."""
        return self._platform.campaign_progress(self._record, self.id)

    def reviews(self, *, limit: int = 100) -> Reviews:
        """What you still have to look at, in the order it came."""
        return open_reviews(
            self._platform, self._record, Policy.CAMPAIGN.value, limit=limit, label=None
        )

    def close(self) -> Campaign:
        """Have reviews no longer move it on; it can be opened again."""
        self._platform.switch_campaign(self.id, is_open=False)
        return self

    def reopen(self) -> Campaign:
        """Open it again."""
        self._platform.switch_campaign(self.id, is_open=True)
        return self

    def __repr__(self) -> str:
        progress = self.progress
        shares = [
            f"  {name or 'nobody'}: {one.done:,} reviewed, {one.open:,} to do"
            for name, one in progress.people.items()
        ]
        return "\n".join([progress.in_words(), *shares])

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display.campaigns import campaign_card

        return {"text/html": campaign_card(self.progress), "text/plain": repr(self)}


class Campaigning(Deployed):
    """The review campaign of a deployment, which has at most one."""

    @property
    def campaign(self) -> Campaign:
        """Its review campaign.

        Raises:
            NotFoundError: it has none.
            PlatformError: this is the cloud, where campaigns are on their pages.
        """
        ident = self._platform.campaign_of(self._record)
        return Campaign(self._platform, self._record, ident)

    def create_campaign(
        self, description: str = "", *, until: str | date | None = None
    ) -> Campaign:
        """Begin a review campaign: `d.create_campaign("night shift", until="2027-01-31")`.

        It takes in what is to be reviewed, also what comes later; `assign` shares it out.

        Args:
            description: what it is for.
            until: when it is to be done.

        Raises:
            ConflictError: there is one already.
            InvalidInputError: `until` is no date.
        """
        try:
            end = date.fromisoformat(until) if isinstance(until, str) else until
        except ValueError:
            raise InvalidInputError(f"{until!r} is no date.", "Write it as 2027-01-31.") from None
        ident = self._platform.create_campaign(
            self._record, description=description, end_date=end.isoformat() if end else None
        )
        return Campaign(self._platform, self._record, ident)
