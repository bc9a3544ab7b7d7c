"""The serving kernels that a session has started, and those it can reach."""

from __future__ import annotations

import atexit
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from picsellia_jupyter.clients.front import Backlog
from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.deployments import (
    DeploymentPlan,
    DeploymentRecord,
    Heartbeat,
    ServingKernel,
    ServingState,
)
from picsellia_jupyter.domain.errors import PicselliaJupyterError
from picsellia_jupyter.domain.places import LOCAL, Kind, Place, PlaceReport
from picsellia_jupyter.domain.ports import Launcher
from picsellia_jupyter.launch import inventory, reporting
from picsellia_jupyter.launch.kernels import end_kernel
from picsellia_jupyter.launch.places import Places, Prompt
from picsellia_jupyter.launch.ray_serve import RayLauncher
from picsellia_jupyter.launch.reaching import Reaches
from picsellia_jupyter.launch.relays import Relays
from picsellia_jupyter.launch.staging import KernelLauncher
from picsellia_jupyter.launch.trainers import Trainers

_END_S = 5.0
"""A server that is silent for so long cannot be told to end a kernel."""


class Staged(Protocol):
    """A serving kernel that this session has started."""

    @property
    def ends_with_us(self) -> bool:
        """Whether it cannot outlive this process."""

    @property
    def announced(self) -> ServingKernel | None:
        """It, once it serves a deployment."""

    def stop(self) -> Backlog:
        """End it; what could not be recorded."""


class Fleet:
    """Starts, reaches and ends serving kernels at all places."""

    def __init__(self, home: Path, tokens: Mapping[str, str], prompt: Prompt) -> None:
        """Start nothing yet.

        Args:
            home: the data directory.
            tokens: of places, from the environment.
            prompt: asks the user for a token.
        """
        self.places = Places(home, tokens, prompt)
        self.reaches = Reaches(self.places)
        self.relays = Relays()
        self.trainers = Trainers(self.places)
        self._cache = home / "cache" / "models"
        self._staged: dict[str, Staged] = {}

    def launcher(
        self, platform: PlatformClient, plan: DeploymentPlan, *, install: bool
    ) -> Launcher:
        """What starts serving kernels at a plan's place."""
        place = self.places.parse(plan.place or LOCAL)
        if place.kind is Kind.RAY:
            return RayLauncher(platform, self._cache, address=place.address, scale=plan.scale)
        return KernelLauncher(
            platform,
            self._cache,
            places=self.places,
            reaches=self.reaches,
            relays=self.relays,
            install=install,
        )

    def address(
        self,
        platform: PlatformClient,
        record: DeploymentRecord,
        serving: ServingKernel,
        *,
        within_s: float | None = None,
    ) -> str:
        """The loopback address of a deployment's kernel.

        Args:
            platform: where it reports.
            record: of the deployment.
            serving: the kernel.
            within_s: how long to wait at most, without asking for a token; as long as it takes
                to know by default.

        Raises:
            LinkError: the kernel cannot be reached, or not so soon.
        """
        if within_s is None:
            address = self.reaches.address(serving)
        else:
            address = self.reaches.address_within(serving, within_s)
        if self.reaches.link(serving.kernel_id) is not None:
            self.relays.begin_again(serving.kernel_id, address, platform, record.id)
        return address

    def reports(self) -> tuple[PlaceReport, ...]:
        """What this machine and all saved places have."""
        asked = [Place(Kind.LOCAL, LOCAL), *map(self.places.parse, self.places.saved)]
        return inventory.of_all(self.places, asked)

    def heartbeat(self, host: str, deployment_id: str) -> Heartbeat | None:
        """How the kernel of a deployment is, where its platform takes no heartbeats.

        Those of this machine are known, and those that this session has started elsewhere.
        """
        found = reporting.kernel_here(host, deployment_id)
        staged = self._staged.get(deployment_id)
        if found is None and staged is not None and staged.announced is not None:
            return Heartbeat(ServingState.READY, staged.announced)
        return found

    def keep(self, deployment_id: str, staged: Staged) -> None:
        """Remember a serving kernel of ours; a script's end must not lose its predictions."""
        if not self._staged:
            atexit.register(self._end_with_us)
        self._staged[deployment_id] = staged

    def end(
        self, record: DeploymentRecord, lost: Backlog | None
    ) -> tuple[Backlog, PicselliaJupyterError | None]:
        """End the kernel that serves a deployment, and the one we started, if another.

        Args:
            record: of the deployment.
            lost: what its front said when it was told to stop; None where it did not answer.

        Returns:
            What could not be recorded, and why its kernel could not be ended, if so.
        """
        staged = self._staged.pop(record.id, None)
        said, trouble = Backlog(), None
        if lost is None and record.serving is not None:
            self._leave_if_lost(record.serving.kernel_id)
        try:
            if staged is not None:
                said = staged.stop()
            elif record.serving is not None:
                self._end_kernel(record.serving, answered=lost is not None)
        except PicselliaJupyterError as error:
            trouble = error
        if record.serving is not None:
            self.relays.end(record.serving.kernel_id)
            self.reaches.leave(record.serving.kernel_id)
        return lost or said, trouble

    def _leave_if_lost(self, kernel_id: str) -> None:
        """Close a link that is down: its front was waited for once, and not again."""
        link = self.reaches.link(kernel_id)
        if link is not None and not link.connected:
            self.reaches.leave(kernel_id)

    def _end_kernel(self, serving: ServingKernel, *, answered: bool) -> None:
        place = self.places.parse(serving.place)
        if place.kind is Kind.SERVER:
            # Also one that has said it would end: a Kernel Gateway starts such a one anew.
            self.places.client(place, within_s=_END_S).delete_kernel(serving.kernel_id)
        elif place.kind is Kind.LOCAL and not answered:
            # Its front does not answer, so it cannot end itself.
            end_kernel(serving.kernel_id)

    def _end_with_us(self) -> None:
        while self._staged:
            _, staged = self._staged.popitem()
            if staged.ends_with_us:
                staged.stop()
