"""Starts serving kernels: real Jupyter kernels, owned by a Jupyter server where there is one."""

from __future__ import annotations

import ast
import json
import queue
import secrets
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import httpx
from typing_extensions import override

from picsellia_jupyter.clients.endpoint import Backlog, Front
from picsellia_jupyter.clients.jupyter import (
    JupyterClient,
    execute_content,
    expression_value,
    own_server,
)
from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.domain.deployments import (
    DeploymentPlan,
    DeploymentRecord,
    DryRun,
    ServingJob,
    ServingKernel,
    Stage,
)
from picsellia_jupyter.domain.errors import NotServingError, ServingError
from picsellia_jupyter.launch import leases
from picsellia_jupyter.wire.predictions import Json
from picsellia_jupyter.wire.resources import dry_run_from_json, error_from_json, job_to_json

START_TIMEOUT_S = 60.0
READY_TIMEOUT_S = 600.0
SILENCE_S = 5.0
"""A front that refuses connections this long has died."""
POLL_S = 0.1


class Kernel(Protocol):
    """A Jupyter kernel of ours, whoever started it."""

    kernel_id: str

    def execute(self, code: str, expression: str, *, timeout_s: float) -> str:
        """Run code unseen; the value of an expression, as its repr."""

    def alive(self) -> bool:
        """Whether its process runs."""

    def end(self) -> None:
        """End it and all it started."""

    def log_tail(self) -> Sequence[str]:
        """Its last lines on stderr, where they can be had."""


class ServerKernel(Kernel):
    """A kernel that a Jupyter server started and owns; it survives this notebook."""

    def __init__(self, client: JupyterClient, kernel_id: str) -> None:
        self._client = client
        self.kernel_id = kernel_id

    @override
    def execute(self, code: str, expression: str, *, timeout_s: float) -> str:
        return self._client.execute(self.kernel_id, code, expression, timeout_s=timeout_s)

    @override
    def alive(self) -> bool:
        return self._client.alive(self.kernel_id)

    @override
    def end(self) -> None:
        self._client.delete_kernel(self.kernel_id)

    @override
    def log_tail(self) -> Sequence[str]:
        return ()


class ChildKernel(Kernel):
    """A kernel of this very process, for plain IPython and scripts; it ends with them."""

    def __init__(self) -> None:
        from jupyter_client.manager import KernelManager

        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the kernel
        self._manager: Any = KernelManager(kernel_name="python3")
        # This very interpreter: what its kernelspec of that name points to may be another.
        self._manager.kernel_spec.argv[0] = sys.executable
        self._manager.start_kernel(stdout=self._log, stderr=self._log)
        self.kernel_id = str(self._manager.kernel_id)

    @override
    def execute(self, code: str, expression: str, *, timeout_s: float) -> str:
        channels = self._manager.client()
        channels.start_channels()
        try:
            channels.wait_for_ready(timeout=timeout_s)
            request_id = channels.execute(**execute_content(code, expression))
            return expression_value(self._reply(channels, request_id, timeout_s))
        except (RuntimeError, TimeoutError) as error:
            raise ServingError(
                "The serving kernel died or fell silent while starting.",
                "Deploy again; if it stays so, see the lines below.",
                log_tail=self.log_tail(),
            ) from error
        finally:
            channels.stop_channels()

    def _reply(self, channels: Any, request_id: str, timeout_s: float) -> Json:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and self.alive():
            try:
                reply = channels.get_shell_msg(timeout=1.0)
            except queue.Empty:
                continue
            if reply["parent_header"].get("msg_id") == request_id:
                content: Json = reply["content"]
                return content
        raise TimeoutError("no execute_reply")

    @override
    def alive(self) -> bool:
        return bool(self._manager.is_alive())

    @override
    def end(self) -> None:
        self._manager.shutdown_kernel(now=True)
        self._log.close()
        leases.all()  # which removes that of a kernel that was killed

    @override
    def log_tail(self) -> Sequence[str]:
        if self._log.closed:
            return ()
        self._log.seek(0)
        text = self._log.read().decode("utf-8", "replace")
        return tuple(deque(text.splitlines(), maxlen=30))


def end_kernel(kernel_id: str) -> bool:
    """End a serving kernel that does not answer, through this notebook's Jupyter server.

    Returns:
        Whether that server knew it. A kernel that answers ends itself when it is told to
        stop, and one that a script started ends with the script.
    """
    client = _server_client()
    return client is not None and client.delete_kernel(kernel_id)


class KernelLauncher:
    """Starts serving kernels on this machine."""

    def __init__(self, platform: PlatformClient, cache: Path) -> None:
        self._platform = platform
        self._cache = cache

    def start(self, plan: DeploymentPlan) -> StagedKernel:
        """Start a kernel that begins to download the plan's model.

        Raises:
            ServingError: no kernel could be started, or the package is missing in it.
        """
        kernel = start_kernel(f"Picsellia: {plan.model_version.title}")
        job = ServingJob(
            host=self._platform.host,
            token=self._platform.token,
            front_token=secrets.token_urlsafe(32),
            organization_id=self._platform.organization_id,
            model_version_id=plan.model_version.id,
            model_file=plan.model_file,
            cache_dir=str(self._cache),
            place=plan.place or "local",
            kernel_id=kernel.kernel_id,
            device=plan.compute.device,
            precision=plan.compute.precision,
            workers=plan.compute.workers,
        )
        try:
            reply = kernel.execute(_code(job), "_picsellia_json", timeout_s=START_TIMEOUT_S)
            said = json.loads(ast.literal_eval(reply))
        except BaseException:
            kernel.end()
            raise
        front = Front(said["address"], job.front_token)
        return StagedKernel(kernel, front, job.place, log_file=said.get("log_file"))


class StagedKernel:
    """A serving kernel that was started; not announced until it is attached."""

    def __init__(
        self, kernel: Kernel, front: Front, place: str, *, log_file: str | None = None
    ) -> None:
        self._kernel = kernel
        self._front = front
        self._place = place
        self._log_file = log_file

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
        return ServingKernel(self._kernel.kernel_id, self._front.address, self._place)

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
            self._kernel.end()

    def _status(self) -> Json:
        silent_since: float | None = None
        while True:
            try:
                return self._front.status()
            except (httpx.TransportError, NotServingError) as error:
                now = time.monotonic()
                silent_since = silent_since or now
                if not self._kernel.alive() or now - silent_since > SILENCE_S:
                    raise ServingError(
                        "The serving kernel died while the model was loading.",
                        "It may have run out of memory; the last lines below may say more.",
                        log_tail=self._last_words(),
                    ) from error
                time.sleep(POLL_S)

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


def start_kernel(title: str) -> Kernel:
    """A new kernel in this environment: of the user's own Jupyter server where there is one."""
    client = _server_client()
    if client is None:
        return ChildKernel()
    return ServerKernel(client, client.start_kernel(title, client.kernel_name(_own_kernel_id())))


def _server_client() -> JupyterClient | None:
    server = own_server()
    if server is None:
        return None
    client = JupyterClient(server)
    return client if client.usable() else None


def _own_kernel_id() -> str:
    from ipykernel.connect import get_connection_file

    try:
        return Path(get_connection_file()).stem.removeprefix("kernel-")
    except RuntimeError:
        return "none"


def _code(job: ServingJob) -> str:
    """What the new kernel is told. Tokens travel in this message: never in argv or env."""
    return (
        "import json as _json\n"
        "from picsellia_jupyter.serving.kernel import start as _start\n"
        f"_picsellia_json = _json.dumps(_start(_json.loads({json.dumps(job_to_json(job))!r})))\n"
    )
