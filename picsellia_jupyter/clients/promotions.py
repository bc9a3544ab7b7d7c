"""Promoting and rolling back through the local platform."""

from __future__ import annotations

import json
from typing import NoReturn

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.domain.deployments import DeploymentRecord
from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.domain.pipelines import PipelineFacts
from picsellia_jupyter.domain.promotion import Gate, Policy, Rollout, Unshadowed, Verdict
from picsellia_jupyter.wire import promotion as wire
from picsellia_jupyter.wire.pipelines import facts_from_json
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.promotion import unshadowed_from_json


class Promotions(SdkConnection):
    """The champion of a deployment and the gate before it."""

    @sdk.translated
    def promote(
        self,
        record: DeploymentRecord,
        version_id: str | None,
        *,
        force: bool = False,
        keep_as_shadow: bool = False,
    ) -> Rollout:
        """Make a version the champion, the shadow if none is named.

        Raises:
            ConflictError: the gate does not let it, or there is no shadow.
            PlatformError: this is the cloud, where it is done on its page.
        """
        self._local("no version can be promoted", record)
        body = {
            "model_version_id": version_id,
            "force": force,
            "keep_champion_as_shadow": keep_as_shadow,
        }
        return wire.rollout_from_json(self._send("post", self._of(record, "promote"), body))

    @sdk.translated
    def roll_back(self, record: DeploymentRecord) -> Rollout:
        """Make the champion before the champion again.

        Raises:
            ConflictError: there was none.
        """
        self._local("nothing can be rolled back", record)
        return wire.rollout_from_json(self._send("post", self._of(record, "rollback"), {}))

    @sdk.translated
    def rollouts(self, record: DeploymentRecord) -> tuple[Rollout, ...]:
        """Which version took which place, the newest first."""
        self._local("what was deployed when cannot be read", record)
        items = self._get(self._of(record, "rollouts"))["items"]
        return tuple(map(wire.rollout_from_json, items))

    @sdk.translated
    def gate(self, record: DeploymentRecord) -> Gate | None:
        """The gate before a promotion; None where there is none."""
        self._local("no gate is kept", record)
        return wire.gate_from_json(self._get(self._of(record, "gate"))["gate"])

    @sdk.translated
    def set_gate(self, record: DeploymentRecord, body: Json | None) -> Gate | None:
        """Have versions show something before they are promoted, or nothing.

        Raises:
            InvalidInputError: it asks for what cannot be.
        """
        self._local("no gate can be set", record)
        path = self._of(record, "gate")
        if body is None:
            self._sdk.connection.delete(path)
            return None
        return wire.gate_from_json(self._send("put", path, body)["gate"])

    @sdk.translated
    def verdict(self, record: DeploymentRecord, version_id: str | None) -> Verdict:
        """What the gate says of a version now, of the shadow if none is named."""
        self._local("no gate is kept", record)
        asked = {"model_version_id": version_id} if version_id else None
        raw = self._get(self._of(record, "gate/verdict"), asked)
        return Verdict(raw["passes"] is True, str(raw["said"]))

    @sdk.translated
    def circle(self, record: DeploymentRecord) -> PipelineFacts:
        """What is known of everything from its predictions to its next champion."""
        self._local("the retraining pipeline cannot be read", record)
        return facts_from_json(self._get(self._of(record, "circle")))

    @sdk.translated
    def set_policy(self, record: DeploymentRecord, policy: Policy) -> None:
        """Say what becomes of newly trained versions; as the SDK does, so on a cloud too."""
        path = f"/api/deployment/{record.id}/pipeline/cd"
        self._sdk.connection.post(path, data=json.dumps({"policy": policy.value}))

    @sdk.translated
    def unshadowed(
        self, record: DeploymentRecord, *, reviewed: bool, limit: int, after: str = ""
    ) -> Unshadowed:
        """Predicted images that no shadow model has predicted on, newest first.

        Args:
            record: of the deployment.
            reviewed: only those that somebody reviewed.
            limit: at most so many.
            after: go on after this prediction.
        """
        self._local("predictions without a shadow's cannot be listed", record)
        asked = {"limit": str(limit), "reviewed": str(reviewed).lower()}
        if after:
            asked["after"] = after
        raw = self._get(self._of(record, "unshadowed"), asked)
        return unshadowed_from_json(raw)

    def _of(self, record: DeploymentRecord, rest: str) -> str:
        return f"/api/local/deployments/{record.id}/{rest}"

    def _local(self, what: str, record: DeploymentRecord) -> None:
        if not self.is_local:
            self._refuse(what, record)

    def _refuse(self, what: str, record: DeploymentRecord) -> NoReturn:
        raise PlatformError(
            f"Through the API of {self.host}, {what}.",
            f"Open {record.name!r} there → Settings: {record.url or self.host}",
        )
