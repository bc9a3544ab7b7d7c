"""Promote, roll back and the gate, as verbs of a deployment's handle."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.deployments import DeploymentRecord, ServingState
from picsellia_jupyter.domain.errors import NotFoundError, NotServingError, ServingError
from picsellia_jupyter.domain.promotion import Gate, Policy, Rollout, RolloutState, Verdict
from picsellia_jupyter.domain.registry import ModelReference
from picsellia_jupyter.handles.deployed import Deployed
from picsellia_jupyter.workflows.registry import find_model_version

WAIT_S = 300.0
"""A model that has to be downloaded first takes its time."""
_LOOK_S = 0.2
_SERVING = (ServingState.READY, ServingState.DEGRADED)


@dataclass(frozen=True, slots=True)
class Promoted:
    """A version that has become the champion; shows itself as one sentence or two."""

    rollout: Rollout
    deployment: str
    is_served: bool
    """Whether a serving kernel predicts with it; no kernel may run now."""
    elapsed_s: float

    def in_words(self) -> str:
        """What was done."""
        one = self.rollout
        told = f"{one.title} is the champion of {self.deployment}, before it {one.previous}."
        if self.is_served:
            told += f" It predicts since {self.elapsed_s:.1f} s after it was asked for."
        else:
            told += " No serving kernel runs; the next one begins with it."
        if one.forced:
            told += f" Forced, against the gate: {one.said}"
        elif one.said:
            told += f" {one.said}"
        return told

    def __repr__(self) -> str:
        return self.in_words()

    def _repr_mimebundle_(self, **_options: Any) -> dict[str, str]:
        from picsellia_jupyter.display.promotion import promoted_card

        text = self.in_words()
        back = f"%rollback {self.deployment}"
        return {"text/html": promoted_card(self.rollout, self.deployment, text, back),
                "text/plain": text}  # fmt: skip


class Promoting(Deployed):
    """Who is champion, and how another one becomes it."""

    def promote(
        self,
        version: str | None = None,
        *,
        force: bool = False,
        keep_as_shadow: bool = False,
        wait_s: float = WAIT_S,
    ) -> Promoted:
        """Make a version the champion: `d.promote()`, `d.promote("digits-detector:2")`.

        It is loaded and tried beside the champion, which predicts until it is ready: no request
        fails in between. Where it cannot be loaded, the champion stays.

        Args:
            version: the shadow if none is named.
            force: whatever the gate says; that is noted.
            keep_as_shadow: have the champion before predict in the new one's shadow.
            wait_s: seconds to wait until the serving kernel predicts with it.

        Raises:
            ConflictError: the gate does not let it, or there is no shadow.
            ServingError: it could not be loaded; the champion stays.
            PlatformError: this is the cloud, where it is done on its page.
        """
        began = time.monotonic()
        wanted = self._version_id(version) if version else None
        record = self.refresh()
        asked = self._platform.promote(record, wanted, force=force, keep_as_shadow=keep_as_shadow)
        return self._served_by(asked, began, wait_s)

    def rollback(self, *, wait_s: float = WAIT_S) -> Promoted:
        """Make the champion before the champion again; at once where it is loaded still.

        A second one undoes the first.

        Raises:
            ConflictError: there was none.
            ServingError: it could not be loaded; the champion stays.
        """
        began = time.monotonic()
        return self._served_by(self._platform.roll_back(self.refresh()), began, wait_s)

    def rollouts(self) -> tuple[Rollout, ...]:
        """Which version took which place, when and why; the newest first."""
        return self._platform.rollouts(self._record)

    @property
    def gate(self) -> Gate | None:
        """What a version must show before it is promoted; None where nothing is asked."""
        return self._platform.gate(self._record)

    @gate.setter
    def gate(self, gate: Gate | None) -> None:
        if gate is None:
            self._platform.set_gate(self._record, None)
        else:
            self.set_gate(
                gate.metric, by=gate.by, confidence=gate.confidence, at_least=gate.at_least,
                evidence=gate.evidence.value,
            )  # fmt: skip

    def set_gate(
        self,
        metric: str | None = None,
        *,
        by: float = 0.0,
        confidence: float = 0.95,
        at_least: int = 100,
        evidence: str = "either",
    ) -> Gate:
        """Promote only what is better: `d.set_gate("ap_50_95", by=0.02, at_least=200)`.

        Args:
            metric: `ap_50_95`, `ap_50`; of classifications `accuracy`, `macro_f1`.
            by: the whole interval of the gain must lie above it; in [0, 1).
            confidence: of that interval, in [0.5, 1).
            at_least: images that both versions predicted and that have a truth; 20 or more.
            evidence: `reviews`, the training run's `held-out` evaluation, or `either`.

        Raises:
            InvalidInputError: it asks for what cannot be.
        """
        body = {
            "metric": metric,
            "by": by,
            "confidence": confidence,
            "at_least": at_least,
            "evidence": evidence,
        }
        made = self._platform.set_gate(self._record, body)
        assert made is not None  # noqa: S101 - for the type checker
        return made

    @property
    def policy(self) -> str:
        """What becomes of newly trained versions: `DEPLOY_SHADOW`, …; empty where nothing is said.

        Setting it also lets continuous deployment run.
        """
        return self._platform.circle(self._record).policy

    @policy.setter
    def policy(self, name: str) -> None:
        try:
            policy = Policy(name)
        except ValueError:
            known = [one.value for one in Policy]
            raise NotFoundError.named("policy", name, known) from None
        self._platform.set_policy(self._record, policy)

    def verdict(self, version: str | None = None) -> Verdict:
        """What the gate says of a version now, of the shadow if none is named."""
        return self._platform.verdict(self._record, self._version_id(version) if version else None)

    def _version_id(self, version: str) -> str:
        if ":" not in version and version.removeprefix("v").isdigit():
            model = self._record.model_title.rpartition(":")[0]
            version = f"{model}:{version.removeprefix('v')}"
        return find_model_version(self._platform, ModelReference.parse(version)).id

    def _served_by(self, asked: Rollout, began: float, wait_s: float) -> Promoted:
        """Wait until the kernel that serves now predicts with it, where one does."""
        while True:
            now = next((one for one in self.rollouts() if one.id == asked.id), asked)
            record = self.refresh()
            elapsed_s = time.monotonic() - began
            if now.state is RolloutState.FAILED:
                raise ServingError(
                    f"{asked.title} could not be loaded: {now.said}",
                    f"{asked.previous} stays the champion. The serving kernel's log tells more.",
                )
            if now.state is RolloutState.SERVED or not _is_served(record):
                served = now.state is RolloutState.SERVED
                return Promoted(now, record.name, served, elapsed_s)
            if elapsed_s > wait_s:
                raise NotServingError(
                    f"{asked.title} is not ready after {wait_s:g} s; {asked.previous} predicts.",
                    "It takes over once it is. Look at it: %deployment",
                )
            time.sleep(_LOOK_S)


def _is_served(record: DeploymentRecord) -> bool:
    return record.serving is not None and record.state in _SERVING
