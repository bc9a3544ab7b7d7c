"""Starts a serving kernel at a place, and waits until it may be announced."""

from __future__ import annotations

import ast
import json
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from picsellia_jupyter.clients.front import Backlog, Front
from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.deployments import (
    DeploymentPlan,
    DeploymentRecord,
    DryRun,
    ServingJob,
    ServingKernel,
    Stage,
)
from picsellia_jupyter.domain.errors import NotServingError, PackageMissingError, ServingError
from picsellia_jupyter.domain.links import LinkError
from picsellia_jupyter.domain.places import LOCAL, Kind
from picsellia_jupyter.launch import installing, leases, loopback, versions
from picsellia_jupyter.launch.kernels import SPEC, ChildKernel, Kernel, ServerKernel, start_kernel
from picsellia_jupyter.launch.places import Places
from picsellia_jupyter.launch.reaching import Reaches
from picsellia_jupyter.launch.relays import Relays
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.resources import dry_run_from_json, error_from_json, job_to_json

START_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 600.0
SILENCE_S = 5.0
"""A front that refuses connections this long has died."""
LINK_PATIENCE_S = 60.0
"""A link that is cut while a model loads gets so long to come back."""
POLL_S = 0.1
_INSTALL = "Add --install to %deploy, which installs this version in their environment."


class KernelLauncher:
    """Starts serving kernels on this machine, and on Jupyter servers elsewhere."""

    def __init__(
        self,
        platform: PlatformClient,
        cache: Path,
        *,
        places: Places,
        reaches: Reaches,
        relays: Relays,
        install: bool = False,
    ) -> None:
        """Start nothing yet.

        Args:
            platform: whose models are served.
            cache: folder for downloaded model files on this machine.
            places: knows the servers elsewhere.
            reaches: reaches their kernels.
            relays: performs what they ask of a platform that only this machine reaches.
            install: whether this package may be installed where a server lacks it.
        """
        self._platform = platform
        self._cache = cache
        self._places = places
        self._reaches = reaches
        self._relays = relays
        self._install = install

    def start(self, plan: DeploymentPlan) -> StagedKernel:
        """Start a kernel that begins to download the plan's model.

        Raises:
            LinkError: the place's server does not answer or does not let us in.
            PackageMissingError: no kernel of that server has this package.
            ServingError: no kernel could be started.
        """
        place = self._places.parse(plan.place or LOCAL)
        title = f"Picsellia: {plan.model_version.title}"
        if place.kind is not Kind.SERVER:
            kernel = start_kernel(title)
            job = self._job(plan, kernel.kernel_id, str(self._cache))
            said = _tell(kernel, job)
            front = Front(said["address"], job.front_token)
            return StagedKernel(kernel, front, job.place, log_file=said.get("log_file"))
        return self._start_on(self._places.client(place), plan, title)

    def _start_on(self, client: JupyterClient, plan: DeploymentPlan, title: str) -> StagedKernel:
        """Start one elsewhere: of our kernelspec if it is there, else of the server's own."""
        has_ours = SPEC in client.specs()
        try:
            return self._start_from(client, plan, title, SPEC if has_ours else None)
        except PackageMissingError:
            if not (has_ours or self._install):
                raise
        if self._install:
            installing.install(client, title)
        return self._start_from(client, plan, title, None)

    def _start_from(
        self, client: JupyterClient, plan: DeploymentPlan, title: str, spec: str | None
    ) -> StagedKernel:
        kernel = ServerKernel(client, client.start_kernel(title, spec))
        # Not a folder of this machine: the kernel chooses one of its own.
        job = self._job(plan, kernel.kernel_id, "")
        said = _tell_elsewhere(client.server.url, kernel, job)
        try:
            address = self._reaches.lead(client.server, kernel.kernel_id)
        except BaseException:
            kernel.end()
            raise
        if said.get("relayed"):
            host = self._platform.host
            self._relays.begin(kernel.kernel_id, address, host, lambda: job.front_token)
        front = Front(address, job.front_token)
        is_here = leases.read(kernel.kernel_id) is not None
        return StagedKernel(
            kernel,
            front,
            job.place,
            log_file=said.get("log_file") if is_here else None,
            # A cut link takes some seconds to come back.
            silence_s=SILENCE_S if is_here else LINK_PATIENCE_S,
            on_ended=lambda: self._leave(kernel.kernel_id),
        )

    def _leave(self, kernel_id: str) -> None:
        self._relays.end(kernel_id)
        self._reaches.leave(kernel_id)

    def _job(self, plan: DeploymentPlan, kernel_id: str, cache: str) -> ServingJob:
        return ServingJob(
            host=self._platform.host,
            token=self._platform.token,
            front_token=secrets.token_urlsafe(32),
            organization_id=self._platform.organization_id,
            model_version_id=plan.model_version.id,
            model_file=plan.model_file,
            cache_dir=cache,
            place=plan.place or LOCAL,
            kernel_id=kernel_id,
            device=plan.compute.device,
            precision=plan.compute.precision,
            workers=plan.compute.workers,
            idle_s=plan.idle_s,
        )


class StagedKernel:
    """A serving kernel that was started; not announced until it is attached."""

    def __init__(
        self,
        kernel: Kernel,
        front: Front,
        place: str,
        *,
        log_file: str | None = None,
        silence_s: float = SILENCE_S,
        on_ended: Callable[[], None] = lambda: None,
    ) -> None:
        """Take charge of it.

        Args:
            kernel: it.
            front: its front, as it is reached from here.
            place: where it runs.
            log_file: its log, if that lies on this machine.
            silence_s: a front that is silent so long, though its server answers, has died.
            on_ended: called once it was ended.
        """
        self._kernel = kernel
        self._front = front
        self._place = place
        self._log_file = log_file
        self._silence_s = silence_s
        self._on_ended = on_ended
        self.announced: ServingKernel | None = None
        """It, once it serves a deployment."""

    def prepare(self, on_stage: Callable[[Stage, str], None]) -> DryRun:
        """Wait for download, load and dry run, telling each as it begins and while it lasts.

        Raises:
            ServingError: one of them failed, or the kernel died; nothing is left running.
        """
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            status = self._status()
            if status.get("stage"):
                on_stage(Stage(status["stage"]), str(status.get("detail") or ""))
            if status.get("error"):
                raise self._failed(status)
            if status.get("dry_run"):
                return dry_run_from_json(status["dry_run"])
            time.sleep(POLL_S)
        raise ServingError(
            f"The model was not ready after {READY_TIMEOUT_S:g} s (stage: {status.get('stage')}).",
            "Deploy again; a model this slow may need a GPU.",
            log_tail=status.get("log_tail") or (),
        )

    def attach(self, record: DeploymentRecord) -> ServingKernel:
        """Have it serve this deployment and report for it."""
        self._front.attach(record.id)
        self.announced = ServingKernel(self._kernel.kernel_id, self._front.address, self._place)
        return self.announced

    @property
    def ends_with_us(self) -> bool:
        """Whether its kernel is a child of this process and cannot outlive it."""
        return isinstance(self._kernel, ChildKernel)

    def stop(self) -> Backlog:
        """End the kernel and everything it started, once it has recorded what it has.

        Returns:
            What could not be recorded.
        """
        try:
            return self._front.stop()
        except ServingError:
            # A front that is gone already, or never was, has nothing to record.
            return Backlog()
        finally:
            self._front.close()
            try:
                self._kernel.end()
            finally:
                self._on_ended()

    def _status(self) -> Json:
        silent_since: float | None = None
        lost_since: float | None = None
        while True:
            try:
                return self._front.status()
            except (httpx.TransportError, NotServingError) as error:
                now = time.monotonic()
                try:
                    alive = self._kernel.alive()
                except LinkError as lost:
                    # Its server is out of reach: that says nothing of the kernel.
                    lost_since, silent_since = lost_since or now, None
                    if now - lost_since > LINK_PATIENCE_S:
                        raise lost from None
                else:
                    silent_since, lost_since = silent_since or now, None
                    if not alive or now - silent_since > self._silence_s:
                        raise self._died() from error
                time.sleep(POLL_S)

    def _died(self) -> ServingError:
        return ServingError(
            "The serving kernel died while the model was loading.",
            "It may have run out of memory; the last lines below may say more.",
            log_tail=self._last_words(),
        )

    def _last_words(self) -> Sequence[str]:
        """The last lines of the kernel's own log, else of what it wrote to stderr."""
        try:
            text = Path(self._log_file or "").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return self._kernel.log_tail()
        return text.splitlines()[-30:]

    def _failed(self, status: Json) -> ServingError:
        error = error_from_json(status["error"])
        kind = type(error) if isinstance(error, ServingError) else ServingError
        return kind(error.fact, error.remedy, log_tail=status.get("log_tail") or ())


def _tell(kernel: Kernel, job: ServingJob) -> Json:
    """Have a new kernel serve; what it says of its front. It is ended where it cannot."""
    try:
        reply = kernel.execute(_code(job), "_picsellia_json", timeout_s=START_TIMEOUT_S)
        said: Json = json.loads(ast.literal_eval(reply))
    except BaseException:
        kernel.end()
        raise
    return said


def _tell_elsewhere(url: str, kernel: Kernel, job: ServingJob) -> Json:
    """Have a new kernel of another server serve, if it has what we have."""
    try:
        said = _tell(kernel, job)
    except PackageMissingError as error:
        raise PackageMissingError(
            f"The kernels at {url} lack what serving needs: {error.fact.partition(': ')[2]}",
            _INSTALL,
        ) from None
    if "other_version" in said:
        kernel.end()
        raise PackageMissingError(
            f"The kernels at {url} have picsellia_jupyter {said['other_version']}, "
            f"this notebook has {versions.own()}.",
            _INSTALL,
        )
    return said


def _code(job: ServingJob) -> str:
    """What the new kernel is told. Tokens travel in this message: never in argv or env."""
    return versions.guarded(_starting(job))


def _starting(job: ServingJob) -> str:
    """What it runs; a kernel on another machine asks a platform on loopback through us."""
    is_ours = loopback.is_loopback(job.host)
    return (
        "from picsellia_jupyter.serving.kernel import start as _start\n"
        "from picsellia_jupyter.settings import Settings as _Settings\n"
        f"_job = _json.loads({json.dumps(job_to_json(job))!r})\n"
        "from picsellia_jupyter.launch import loopback as _loopback\n"
        "_job['cache_dir'] = _job['cache_dir'] or str(_Settings.from_environment().cache)\n"
        f"_job['relayed'] = {is_ours} and _loopback.identity() != {loopback.identity()!r}\n"
        "_picsellia_json = _json.dumps({**_start(_job), 'relayed': _job['relayed']})\n"
        "del _job\n"
    )
