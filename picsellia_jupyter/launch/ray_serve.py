"""Serves deployments on Ray: replicas on the nodes of a cluster, behind Ray Serve's ingress."""

from __future__ import annotations

import importlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from picsellia_jupyter.clients.front import Backlog
from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.deployments import (
    DeploymentPlan,
    DeploymentRecord,
    DryRun,
    ServingJob,
    ServingKernel,
    Stage,
)
from picsellia_jupyter.domain.errors import MissingExtraError, ServingError
from picsellia_jupyter.domain.scale import Scale
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.resources import dry_run_from_json, error_from_json, job_to_json

PROGRAM = "picsellia_jupyter.serving.ray_app"
"""Runs inside the cluster; it is called by name, since nobody imports it."""
PREFIX = "picsellia-serving-"
READY_TIMEOUT_S = 600.0
CALL_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 200.0
POLL_S = 0.3


class Cluster:
    """A Ray cluster that this process is connected to."""

    def __init__(self, address: str | None) -> None:
        """Connect; without an address to the one on this machine, or else to a new one.

        Args:
            address: `HOST:PORT` or `ray://HOST:PORT`.

        Raises:
            MissingExtraError: Ray is not installed.
            ServingError: nobody answers there.
        """
        try:
            import ray
        except ModuleNotFoundError as error:
            raise MissingExtraError("Serving on Ray", "ray", "ray") from error
        self.is_own = False
        """Whether it was started here, and ends with this process."""
        if not ray.is_initialized():
            self.is_own = _connect(ray, address)

    def call(self, verb: str, *values: Any, timeout_s: float = CALL_TIMEOUT_S) -> Any:
        """Run a function of our program in the cluster; what it returns.

        Raises:
            ServingError: it failed, the cluster lacks the package, or nobody has time for it.
        """
        import ray

        task = ray.remote(num_cpus=0)(_call).remote(PROGRAM, verb, *values)
        try:
            return ray.get(task, timeout=timeout_s)
        except ray.exceptions.GetTimeoutError as error:
            raise ServingError(
                f"The Ray cluster did not answer within {timeout_s:g} s.",
                "See its state with: ray status",
            ) from error
        except ray.exceptions.RayError as error:
            raise _translated(error) from error


def _connect(ray: Any, address: str | None) -> bool:
    quiet = {"log_to_driver": False, "logging_level": "error"}
    try:
        ray.init(address=address or "auto", **quiet)
    except ConnectionError as error:
        if address:
            raise ServingError(
                f"No Ray cluster answers at {address}.",
                "Start one with: ray start --head, and give the address that it prints.",
            ) from error
        ray.init(include_dashboard=False, **quiet)
        return True
    return False


def _call(module: str, verb: str, *values: Any) -> Any:
    return getattr(importlib.import_module(module), verb)(*values)


def _translated(error: Exception) -> ServingError:
    text = str(error)
    if "No module named" in text:
        missing = text.rpartition("No module named ")[2].split()[0].strip("'\"")
        return ServingError(
            f"The Ray cluster lacks the package {missing!r}.",
            "Install it on every node: pip install 'picsellia_jupyter[serving,ray]'",
        )
    last = next((line for line in reversed(text.splitlines()) if line.strip()), "")
    return ServingError(f"Ray could not do it: {last}", "See its state with: ray status")


@dataclass(frozen=True, slots=True)
class Application:
    """An application of Ray Serve that serves one deployment."""

    name: str
    job: ServingJob
    scale: Scale

    @property
    def gpus(self) -> float:
        """That each replica takes."""
        return 1.0 if self.job.device.startswith("cuda") else 0.0

    def start(self, cluster: Cluster) -> str:
        """Have a replica try the model; the address of the ingress."""
        said = cluster.call("start", self.name, job_to_json(self.job), self.gpus)
        return str(said["address"])

    def attach(self, cluster: Cluster, deployment_id: str) -> None:
        """Have replicas serve a deployment."""
        bounds = (self.scale.least, self.scale.most)
        cluster.call("attach", self.name, job_to_json(self.job), bounds, self.gpus, deployment_id)


class RayLauncher:
    """Starts replicas in a Ray cluster."""

    def __init__(
        self,
        platform: PlatformClient,
        cache: Path,
        *,
        address: str | None = None,
        scale: Scale | None = None,
    ) -> None:
        self._platform = platform
        self._cache = cache
        self._address = address
        self._scale = scale or Scale()

    def start(self, plan: DeploymentPlan) -> StagedReplicas:
        """Have Ray start replicas that begin to download the plan's model.

        Raises:
            MissingExtraError: Ray is not installed.
            ServingError: no cluster answers, or the package is missing in it.
        """
        cluster = Cluster(self._address)
        application = self._application(plan)
        return StagedReplicas(cluster, application, application.start(cluster))

    def _application(self, plan: DeploymentPlan) -> Application:
        name = PREFIX + secrets.token_hex(4)
        job = ServingJob(
            host=self._platform.host,
            token=self._platform.token,
            front_token=secrets.token_urlsafe(32),
            organization_id=self._platform.organization_id,
            model_version_id=plan.model_version.id,
            model_file=plan.model_file,
            cache_dir=str(self._cache),
            place=plan.place or "ray",
            kernel_id=name,
            device=plan.compute.device,
            precision=plan.compute.precision,
            workers=plan.compute.workers,
        )
        return Application(name, job, self._scale)


class StagedReplicas:
    """Replicas that were started; not announced until they are attached."""

    def __init__(self, cluster: Cluster, application: Application, address: str) -> None:
        self._cluster = cluster
        self._application = application
        self._address = address
        self.announced: ServingKernel | None = None
        """They, once they serve a deployment."""

    def prepare(self, on_stage: Callable[[Stage, str], None]) -> DryRun:
        """Wait for download, load and dry run of one replica.

        Raises:
            ServingError: one of them failed, or no node has room for it.
        """
        deadline = time.monotonic() + READY_TIMEOUT_S
        said: Json = {}
        while time.monotonic() < deadline:
            said = self._report()
            if said.get("stage"):
                on_stage(Stage(said["stage"]), str(said.get("detail") or ""))
            if said.get("dry_run"):
                return dry_run_from_json(said["dry_run"])
            time.sleep(POLL_S)
        raise ServingError(
            f"No replica was ready after {READY_TIMEOUT_S:g} s: {said.get('detail') or 'no word'}.",
            "See what the nodes have left with: ray status",
            log_tail=said.get("log_tail") or (),
        )

    def attach(self, record: DeploymentRecord) -> ServingKernel:
        """Have every replica serve this deployment and report for it.

        Raises:
            ServingError: none did in time.
        """
        self._application.attach(self._cluster, record.id)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while time.monotonic() < deadline:
            if self._report().get("app") == "RUNNING":
                job = self._application.job
                self.announced = ServingKernel(job.kernel_id, self._address, job.place)
                return self.announced
            time.sleep(POLL_S)
        raise ServingError(
            "The replicas did not begin to serve.", "See what Ray says with: serve status"
        )

    @property
    def ends_with_us(self) -> bool:
        """Whether its cluster was started by this process and cannot outlive it."""
        return self._cluster.is_own

    def stop(self) -> Backlog:
        """End all replicas, once each has recorded what it has."""
        self._cluster.call("stop", self._application.name, timeout_s=STOP_TIMEOUT_S)
        return Backlog()

    def _report(self) -> Json:
        said: Json = self._cluster.call("report", self._application.name)
        if said.get("error"):
            error = error_from_json(said["error"])
            kind = type(error) if isinstance(error, ServingError) else ServingError
            raise kind(error.fact, error.remedy, log_tail=said.get("log_tail") or ())
        if said.get("app") in ("DEPLOY_FAILED", "UNHEALTHY", "DELETED"):
            raise ServingError(
                f"Ray Serve could not start the replicas: {said.get('detail') or said['app']}",
                "See what it says with: serve status",
            )
        return said
