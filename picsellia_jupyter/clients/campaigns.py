"""Review campaigns, through the routes that the SDK has for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.promotions import Promotions
from picsellia_jupyter.domain.campaigns import Progress, Share
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import NotFoundError

_STEP = "review"
_OPEN = ("TO_DO", "TO_REWORK")


class Campaigns(Promotions):
    """The review campaign of a deployment, which has at most one."""

    @sdk.translated
    def create_campaign(
        self, record: DeploymentRecord, *, description: str, end_date: str | None
    ) -> str:
        """Begin a campaign of one step that takes in what comes; its id.

        Raises:
            ConflictError: there is one already.
        """
        self._local("a review campaign cannot be begun", record)
        body = {
            "description": description,
            "end_date": end_date,
            "auto_add_new_assets": True,
            "auto_close_on_completion": False,
        }
        made = self._send("post", f"/api/deployment/{record.id}/campaigns", body)
        path = f"{_campaign(str(made['id']))}/steps"
        self._send("post", path, {"name": _STEP, "type": "REVIEW", "assignees": []})
        return str(made["id"])

    @sdk.translated
    def campaign_of(self, record: DeploymentRecord) -> str:
        """The id of a deployment's campaign.

        Raises:
            NotFoundError: it has none.
        """
        self._local("review campaigns cannot be followed", record)
        found = self._get(f"/api/deployment/{record.id}").get("review_campaign_id")
        if not found:
            raise NotFoundError(
                f"{record.name!r} has no review campaign.", "Begin one: d.create_campaign()"
            )
        return str(found)

    @sdk.translated
    def assign_campaign(self, campaign_id: str, usernames: Sequence[str]) -> int:
        """Take in what is to be reviewed, and share all that is open out evenly.

        Returns:
            How many images are shared out.

        Raises:
            NotFoundError: there is no such user.
            ConflictError: the campaign is closed.
        """
        known = self._users()
        for name in usernames:
            if name not in known:
                raise NotFoundError.named("user", name, list(known))
        people = [{"user_id": known[name], "weight": 1.0} for name in dict.fromkeys(usernames)]
        step = self._get(f"{_campaign(campaign_id)}/steps")["items"][0]
        path = f"/api/campaigns/review/steps/{step['id']}"
        self._send("patch", path, {"assignees": people})
        self._send("post", f"{_campaign(campaign_id)}/assignments/sync", {})
        return int(self._send("post", f"{path}/assignments/redistribute", {})["count"])

    @sdk.translated
    def campaign_progress(self, record: DeploymentRecord, campaign_id: str) -> Progress:
        """How far a campaign is."""
        told = self._get(_campaign(campaign_id))
        left = self._get(f"{_campaign(campaign_id)}/assignments/sync/available")
        people = {"": self._share(campaign_id, user_id="unassigned")}
        for name, ident in self._users().items():
            people[name] = self._share(campaign_id, user_id=ident)
        whole = self._share(campaign_id)
        return Progress(
            id=campaign_id,
            deployment=record.name,
            description=str(told.get("description") or ""),
            is_closed=told["is_closed"] is True,
            end_date=str(told.get("end_date") or ""),
            done=whole.done,
            open=whole.open,
            waiting=int(left["unsynced_item_count"]),
            people={name: one for name, one in people.items() if one.done or one.open},
        )

    @sdk.translated
    def switch_campaign(self, campaign_id: str, *, is_open: bool) -> None:
        """Close a campaign, or open it again."""
        self._send("post", f"{_campaign(campaign_id)}/{'reopen' if is_open else 'close'}", {})

    def _users(self) -> dict[str, str]:
        """Ids by name."""
        path = f"/api/access/organization/{self.organization_id}/users"
        return {str(one["username"]): str(one["user_id"]) for one in self._get(path)["users"]}

    def _share(self, campaign_id: str, **asked: Any) -> Share:
        def count(status: str) -> int:
            query = {"status": status, "limit": "1", **asked}
            return int(self._get(f"{_campaign(campaign_id)}/assignments", query)["count"])

        return Share(count("DONE"), sum(map(count, _OPEN)))


def _campaign(campaign_id: str) -> str:
    return f"/api/campaigns/review/{campaign_id}"
