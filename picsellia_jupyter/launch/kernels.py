"""Starts serving kernels: real Jupyter kernels, owned by a Jupyter server where there is one."""

from __future__ import annotations

import os
import queue
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import psutil
from typing_extensions import override

from picsellia_jupyter.clients.jupyter import (
    JupyterClient,
    execute_content,
    expression_value,
)
from picsellia_jupyter.clients.labserver import LabServer, own_client
from picsellia_jupyter.domain.errors import ServingError
from picsellia_jupyter.launch import leases
from picsellia_jupyter.wire.predictions import Json

SPEC = "picsellia-serving"
"""The kernelspec that this package installs."""


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

    def __init__(self, client: JupyterClient | LabServer, kernel_id: str) -> None:
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
        self.kernel_id = str(uuid.uuid4())
        # Where a server would put it, so that its lease is found there like any other.
        self._manager.connection_file = str(_connection_file(self.kernel_id))
        self._manager.start_kernel(kernel_id=self.kernel_id, stdout=self._log, stderr=self._log)

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


def _connection_file(kernel_id: str) -> Path:
    folder = leases.runtime_folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"kernel-{kernel_id}.json"


def end_kernel(kernel_id: str) -> bool:
    """End a serving kernel that does not answer, through this notebook's Jupyter server.

    Returns:
        Whether that server knew it. A kernel that answers ends itself when it is told to
        stop, and one that a script started ends with the script.
    """
    client = own_client()
    return client is not None and client.delete_kernel(kernel_id)


def start_kernel(title: str) -> Kernel:
    """A new kernel in this environment: of the user's own Jupyter server where there is one."""
    client = own_client()
    if client is None:
        return ChildKernel()
    return ServerKernel(client, client.start_kernel(title, _own_spec(client)))


def _own_spec(client: JupyterClient | LabServer) -> str | None:
    """The kernelspec of the user's own server that starts this very environment's Python.

    Ours, which comes back after a crash by itself, where it does; else that of this notebook.
    """
    argv = client.specs().get(SPEC)
    if argv and _is_of_this_environment(argv[0]):
        return SPEC
    return client.kernel_name(_own_kernel_id())


def _is_of_this_environment(program: str) -> bool:
    if not Path(program).is_absolute():
        # Jupyter takes its own interpreter for a bare "python".
        try:
            program = psutil.Process(os.getppid()).cmdline()[0]
        except (psutil.Error, IndexError):
            return False
    return Path(program).parent == Path(sys.executable).parent


def _own_kernel_id() -> str:
    from ipykernel.connect import get_connection_file

    try:
        return Path(get_connection_file()).stem.removeprefix("kernel-")
    except RuntimeError:
        return "none"
