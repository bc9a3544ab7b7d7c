"""Reviews on the platform: what is to be reviewed, what people made of it, what is final."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.recorded import RecordedPredictions, predicted_image
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import ConflictError, PlatformError
from picsellia_jupyter.domain.predictions import considered
from picsellia_jupyter.domain.reviews import (
    Chosen,
    Policy,
    Queue,
    ReviewConflictError,
    ReviewCounts,
    ReviewState,
    Saved,
    Shapes,
    Subject,
    Submission,
    checked,
)
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.reviews import review_to_json, shapes_from_json, shapes_of


class Reviews(RecordedPredictions):
    """Reviews of the deployments of an organization."""

    @sdk.translated
    def review_queue(
        self, record: DeploymentRecord, policy: Policy, *, limit: int, label: str = ""
    ) -> Queue:
        """Predicted assets that are to be reviewed, chosen by a policy.

        Raises:
            InvalidInputError: nothing is known that the policy could go by.
            NotFoundError: there is no such label.
            PlatformError: this is the cloud.
        """
        body = {"policy": policy.value, "limit": limit, "label": label}
        reply = self._send("post", f"{self._reviews(record)}/queue", body)
        items = tuple(
            Chosen(str(one["predicted_asset_id"]), one["why"], tuple(one["also"]))
            for one in reply["items"]
        )
        return Queue(policy, items, int(reply["candidates"]), reply["label"])

    @sdk.translated
    def review_labels(self, record: DeploymentRecord) -> tuple[str, ...]:
        """Names that a shape of a review may have, in their order."""
        return tuple(self._label_ids(record.id))

    @sdk.translated
    def review_subject(self, record: DeploymentRecord, asset_id: str) -> tuple[Subject, bytes]:
        """A predicted asset as it is now, and its encoded photo."""
        asset = self._get(f"/api/predicted/asset/{asset_id}")
        photo = self._image(asset["data"])
        return self._subject(record, asset, photo), photo

    @sdk.translated
    def save_review(
        self,
        record: DeploymentRecord,
        subject: Subject,
        shapes: Shapes,
        *,
        policy: Policy | None = None,
        also: Sequence[str] = (),
    ) -> Saved:
        """Store a review over the revision that its author has seen.

        Args:
            record: of the deployment.
            subject: as it was seen.
            shapes: what is really there.
            policy: how the image was chosen; its tag `sampled:…` says so from now on.
            also: reviewed assets that are of the random sample now.

        Raises:
            ReviewConflictError: somebody else has reviewed it meanwhile.
            ConflictError: it is submitted.
            InvalidInputError: a shape cannot be stored.
        """
        labels = self._label_ids(record.id)
        drawn = checked(record.type, shapes, list(labels))
        body = review_to_json(record.type, drawn, labels) | {
            "revision": subject.revision,
            "sampled": policy.value if policy else None,
            "also": list(also),
        }
        try:
            told = self._send("put", _path(subject.id), body)
        except Exception as error:
            self._raise_conflict(record, subject, error)
            raise
        return Saved(str(told["revision"]), ReviewState(told["state"]))

    @sdk.translated
    def submit_reviews(
        self, record: DeploymentRecord, asset_ids: Sequence[str] | None = None
    ) -> Submission:
        """Make reviews final; an active feedback loop takes them up. This cannot be undone.

        Args:
            record: of the deployment.
            asset_ids: whose; None takes all that are reviewed.

        Raises:
            ConflictError: a dataset version of the feedback loop is locked.
            InvalidInputError: one of them is not reviewed.
        """
        body = {"predicted_asset_ids": None if asset_ids is None else list(asset_ids)}
        told = self._send("post", f"{self._reviews(record)}/submit", body)
        return Submission(int(told["submitted"]), int(told["annotated"]))

    @sdk.translated
    def review_counts(self, record: DeploymentRecord) -> ReviewCounts:
        """How many predicted assets of a deployment are in each state."""
        told = self._get(self._reviews(record))
        return ReviewCounts(**{state: int(count) for state, count in told.items()})

    # Inside --------------------------------------------------------------------------------

    def _reviews(self, record: DeploymentRecord) -> str:
        if not self.is_local:
            raise PlatformError(
                f"{self.host} has its own review tool; only a local platform is reviewed here.",
                f"Review {record.name!r} on its page: {record.url or self.host}",
            )
        return f"/api/local/deployments/{record.id}/reviews"

    def _subject(self, record: DeploymentRecord, asset: Json, photo: bytes) -> Subject:
        image = predicted_image(record, asset, photo)
        last = self._get(_path(asset["id"]))
        over = considered(image.found, threshold=record.threshold)
        drawn = last["review"]
        return Subject(
            id=str(asset["id"]),
            image=image,
            proposed=shapes_of(over, record.labels),
            reviewed=None if drawn is None else shapes_from_json(record.type, drawn),
            state=ReviewState(last["state"]),
            revision=str(last["revision"]),
            reviewer=str(last["author"]),
        )

    def _raise_conflict(self, record: DeploymentRecord, subject: Subject, error: Exception) -> None:
        """Raise what somebody else's review makes of a refusal; nothing where there is none."""
        if not _is_conflict(error):
            return
        last = self._get(_path(subject.id))
        if last["revision"] == subject.revision or last["state"] == ReviewState.SUBMITTED.value:
            return
        theirs = Subject(
            id=subject.id,
            image=subject.image,
            proposed=subject.proposed,
            reviewed=shapes_from_json(record.type, last["review"] or {}),
            state=ReviewState(last["state"]),
            revision=str(last["revision"]),
            reviewer=str(last["author"]),
        )
        raise ReviewConflictError(theirs) from error

    def _label_ids(self, deployment_id: str) -> dict[str, str]:
        """Ids of a deployment's labels by name, in their order."""
        items: list[Any] = self._get(f"/api/deployment/{deployment_id}/labels")["items"]
        return {str(item["name"]): str(item["id"]) for item in items}


def _is_conflict(error: Exception) -> bool:
    return isinstance(error, ConflictError) or sdk.is_conflict(error)


def _path(asset_id: str) -> str:
    return f"/api/local/predicted/asset/{asset_id}/review"
