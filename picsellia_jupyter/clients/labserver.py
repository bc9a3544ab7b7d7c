"""The Jupyter server extension of this package, as a kernel of that server sees it.

A kernel has no token of a server that lets people in by a password, or everybody. The extension
leaves it a secret of its own, which is good for starting and ending serving kernels alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import httpx

from picsellia_jupyter.clients import introductions, private_files
from picsellia_jupyter.clients.jupyter import (
    JupyterClient,
    JupyterServer,
    expression_value,
    own_server,
    server_pids,
)
from picsellia_jupyter.domain.errors import ServingError
from picsellia_jupyter.wire.predictions import Json

_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class RunningKernel:
    """A kernel of a Jupyter server."""

    id: str
    spec: str
    """The name of its kernelspec."""
    state: str
    """As Jupyter says it: `idle`, `busy`, `starting`, `restarting`, `dead` …"""
    title: str
    """Of the lease; empty where it does not serve."""


@dataclass(frozen=True, slots=True)
class ProxiedFront:
    """A serving kernel's front as the proxy of its Jupyter server offers it."""

    url: str
    """What the front's own paths are appended to; without a slash at the end."""
    headers: dict[str, str] = field(repr=False)
    """What each request must bear."""


def proxied_front(server: JupyterServer, kernel_id: str, bearer: str) -> ProxiedFront:
    """How to ask a serving kernel through its Jupyter server, where that has the extension.

    Args:
        server: it, with a token.
        kernel_id: of the serving kernel.
        bearer: the token that its front asks for.
    """
    headers = {
        "Authorization": f"token {server.token}",
        "X-Picsellia-Authorization": f"Bearer {bearer}",
    }
    return ProxiedFront(f"{server.url}/picsellia/serving/{kernel_id}", headers)


def own_extension() -> LabServer | None:
    """The extension in the Jupyter server that started this very kernel.

    Returns:
        None where there is no server, it has no extension, or it cannot be reached over HTTP.
    """
    return next((found for pid in server_pids() if (found := _extension_of(pid))), None)


def _extension_of(pid: int) -> LabServer | None:
    told = introductions.read(pid)
    if told is None:
        return None
    try:
        record = introductions.runtime_folder() / f"jpserver-{told.pid}.json"
        info = private_files.read(record)
        url = str(info["url"]).rstrip("/")
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return LabServer(url, told.secret) if url.startswith(("http://", "https://")) else None


def own_client() -> JupyterClient | LabServer | None:
    """A connection to one's own server: by its token, or by the extension where that is refused.

    Returns:
        None where there is no server, or it lets its kernels in by neither.
    """
    server, extension = own_server(), own_extension()
    if server is not None and (client := JupyterClient(server)).usable():
        return client
    return extension if extension and extension.usable() else None


class LabServer:
    """Starts and ends serving kernels through the extension; as `JupyterClient` does."""

    def __init__(self, url: str, secret: str) -> None:
        """Ask an extension.

        Args:
            url: of its Jupyter server, with the base path and no slash at the end.
            secret: of the extension.
        """
        self.url = url
        self._http = httpx.Client(
            base_url=f"{url}/picsellia",
            headers={introductions.SECRET_HEADER: secret},
            timeout=30.0,
            trust_env=False,
        )

    def usable(self) -> bool:
        """Whether it answers and lets us in."""
        try:
            return self._http.get("/kernels", timeout=5.0).is_success
        except httpx.TransportError:
            return False

    def kernels(self) -> Sequence[str]:
        """The ids of all kernels that the server has."""
        return [kernel.id for kernel in self.running()]

    def running(self) -> tuple[RunningKernel, ...]:
        """All kernels that the server has, with what is known of them.

        Raises:
            ServingError: it does not answer, or refuses.
        """
        return tuple(RunningKernel(**raw) for raw in self._listed()["kernels"])

    def specs(self) -> Mapping[str, Sequence[str]]:
        """The kernelspecs it has: what each starts, by their names."""
        return cast("Mapping[str, Sequence[str]]", self._listed()["specs"])

    def kernel_name(self, kernel_id: str) -> str | None:
        """The kernelspec a running kernel was started from."""
        found = self._find(kernel_id)
        return found.spec if found else None

    def start_kernel(self, title: str, spec: str | None) -> str:
        """Start a kernel that the Running panel shows under `title`; its id.

        Raises:
            ServingError: it could not be started.
        """
        response = self._ask("POST", "/start", {"title": title, "spec": spec})
        return cast("str", _content(response, "No kernel could be started")["id"])

    def delete_kernel(self, kernel_id: str) -> bool:
        """End a serving kernel; one that is gone already is fine.

        Returns:
            Whether the server knew it.

        Raises:
            ServingError: it could not be ended, or is none of ours.
        """
        response = self._ask("DELETE", f"/kernels/{kernel_id}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return False
        _content(response, f"Kernel {kernel_id} could not be ended")
        return True

    def alive(self, kernel_id: str) -> bool:
        """Whether the kernel is listed and not dead or just being restarted."""
        found = self._find(kernel_id)
        return found is not None and found.state not in ("dead", "restarting")

    def execute(self, kernel_id: str, code: str, expression: str, *, timeout_s: float) -> str:
        """Run code in a kernel that was started here, unseen; the value of an expression.

        Raises:
            ServingError: the code raised, the kernel died, or it took too long.
        """
        body = {"code": code, "expression": expression, "timeout_s": timeout_s}
        path = f"/kernels/{kernel_id}/execute"
        response = self._ask("POST", path, body, timeout_s + _GRACE_S)
        reply = _content(response, f"Kernel {kernel_id} could not be told what to do")
        return expression_value(reply)

    def _listed(self) -> Json:
        return _content(self._ask("GET", "/kernels"), "The kernels could not be listed")

    def _find(self, kernel_id: str) -> RunningKernel | None:
        return next((one for one in self.running() if one.id == kernel_id), None)

    def _ask(
        self, method: str, path: str, body: Json | None = None, timeout_s: float = 30.0
    ) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body, timeout=timeout_s)
        except httpx.TransportError as error:
            raise ServingError(
                f"The Jupyter server at {self.url} does not answer.",
                "Is it still running? Restart this notebook's kernel if it moved.",
            ) from error


def _content(response: httpx.Response, what: str) -> Json:
    """What a reply holds.

    Raises:
        ServingError: it tells of an error.
    """
    if response.is_success:
        return cast("Json", response.json()) if response.content else {}
    said: Any = {}
    if "json" in response.headers.get("Content-Type", ""):
        said = response.json()
    why = said.get("message") or f"HTTP {response.status_code}"
    raise ServingError(f"{what}: {why}", said.get("detail") or "See the Jupyter server's log.")
