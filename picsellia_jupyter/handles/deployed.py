"""What is known of one deployment, and where its serving kernel is reached."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from picsellia_jupyter.clients.endpoint import Endpoint
from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain import devices
from picsellia_jupyter.domain.deployments import (
    DeploymentRecord,
    DryRun,
    ServingKernel,
    ServingState,
    checked_threshold,
)
from picsellia_jupyter.domain.devices import Compute
from picsellia_jupyter.domain.errors import InvalidThresholdError, NotServingError
from picsellia_jupyter.domain.links import LinkError
from picsellia_jupyter.domain.places import LOCAL
from picsellia_jupyter.domain.running import Running, ServedNow
from picsellia_jupyter.handles.notebook_alerts import NotebookWatches
from picsellia_jupyter.handles.training import Trainers

GLANCE_S = 2.0
"""How long a card waits for a place to answer."""


class Reach(Protocol):
    """Gives the loopback address of the serving kernel of a deployment."""

    def __call__(
        self,
        platform: PlatformClient,
        record: DeploymentRecord,
        serving: ServingKernel,
        /,
        *,
        within_s: float | None = None,
    ) -> str:
        """Reach it, within so many seconds where that is said."""


class Deployed:
    """One deployment of a platform."""

    def __init__(  # noqa: PLR0913 - one keyword a thing of the session that made it
        self,
        platform: PlatformClient,
        record: DeploymentRecord,
        *,
        undeploy: Callable[[str, bool], None],
        reach: Reach,
        trainers: Trainers,
        dry_run: DryRun | None = None,
        model_file: str = "model-latest",
        compute: Compute = devices.DEFAULT,
        cache: Path | None = None,
        beside: Callable[[], Deployed] | None = None,
        watches: NotebookWatches | None = None,
    ) -> None:
        self._platform = platform
        self._record = record
        self._undeploy = undeploy
        self._reach = reach
        self._trainers = trainers
        self._model_file = model_file
        self._compute = compute
        self._cache = cache
        # One that no session has made is for one thread.
        self._beside = beside or (lambda: self)
        self._watches = watches or NotebookWatches()
        self._endpoint: Endpoint | None = None
        self.dry_run = dry_run

    @property
    def id(self) -> str:
        """The platform's id of it."""
        return self._record.id

    @property
    def name(self) -> str:
        """Its name, unique in the organization."""
        return self._record.name

    @property
    def state(self) -> ServingState:
        """What its serving kernel says now."""
        return self.refresh().state

    @property
    def threshold(self) -> float | None:
        """Only shapes scored over it are considered; None for classification."""
        return self._record.threshold

    @threshold.setter
    def threshold(self, value: float) -> None:
        checked = checked_threshold(value, self._record.type)
        if checked is None:
            raise InvalidThresholdError(
                "A classification takes no threshold; got None.",
                "Leave it: its classes compete for the whole image and the first one counts.",
            )
        self._record = self._platform.set_threshold(self.id, checked)

    @property
    def record(self) -> DeploymentRecord:
        """What the platform last said of it."""
        return self._record

    @property
    def labels(self) -> dict[int, str]:
        """Class index to label name."""
        return dict(self._record.labels)

    @property
    def address(self) -> str:
        """Where any client of this machine finds its front: `http://127.0.0.1:PORT`.

        Also where the serving kernel runs elsewhere; it holds as long as this session lives.

        Raises:
            NotServingError: no serving kernel answers for this deployment.
        """
        self.refresh()
        return self._served().address

    def refresh(self) -> DeploymentRecord:
        """Ask the platform how it is now."""
        self._record = self._platform.deployment(self.id)
        return self._record

    def _now(self) -> ServedNow | None:
        """Where it can be asked, and what it says there; why not, where it cannot."""
        if self._record.serving is None:
            return None
        try:
            served = self._served(GLANCE_S)
        except LinkError as error:
            return ServedNow(trouble=str(error))
        except NotServingError:
            return None
        return ServedNow(served.address, served.running())

    def _running(self) -> Running | None:
        """What its serving kernel says of itself; None where none answers."""
        now = self._now()
        return now.running if now else None

    def _served(self, within_s: float | None = None) -> Endpoint:
        record = self._record
        if record.serving is None or record.state is ServingState.STOPPED:
            raise not_served(record)
        address = self._reach(self._platform, record, record.serving, within_s=within_s)
        if self._endpoint is None or self._endpoint.address != address:
            if self._endpoint is not None:
                self._endpoint.close()
            self._endpoint = Endpoint(address, self._platform.token, self.id)
        return self._endpoint


def not_served(record: DeploymentRecord) -> NotServingError:
    """Why no kernel of ours answers for a deployment, and how one is started where it was."""
    if record.state is ServingState.HOSTED:
        return NotServingError(
            f"{record.name!r} is served by Picsellia, not by a serving kernel of ours.",
            f"Its state is on its page: {record.url}",
        )
    told = record.reason not in ("", record.state.value)
    why = f": {record.reason}" if told else ""
    place = record.serving.place if record.serving else LOCAL
    return NotServingError(
        f"{record.name!r} has no serving kernel ({record.state.value}{why}).",
        f"Serve it with: %deploy {record.model_title} --strategy {record.strategy.value} "
        f"--on {place} --name {record.name}",
    )
