"""A Jupyter server, over its REST API and the kernels' websocket."""

from __future__ import annotations

import json
import os
import re
import ssl
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import httpx

from picsellia_jupyter.clients import server_errors
from picsellia_jupyter.domain.errors import PackageMissingError, ServingError, first_line
from picsellia_jupyter.domain.links import LinkError
from picsellia_jupyter.domain.secret_text import hide
from picsellia_jupyter.wire.predictions import Json


@dataclass(frozen=True, slots=True)
class JupyterServer:
    """Where a Jupyter server is and how to be let in."""

    url: str
    """With its base path, without a slash at the end."""
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        hide(self, "token")


def own_server() -> JupyterServer | None:
    """The Jupyter server that started this very kernel, or None where there is none.

    A server leaves its address and token in a file named after its pid that only its user can
    read. One of JupyterHub leaves no token there; its kernels have it in their environment.
    """
    from jupyter_core.paths import jupyter_runtime_dir

    for pid in server_pids():
        path = Path(jupyter_runtime_dir()) / f"jpserver-{pid}.json"
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        url, token = info.get("url"), info.get("token") or _hub_token(info.get("base_url"))
        # With a password instead of a token its REST API is closed to us.
        if url and token:
            return JupyterServer(url.rstrip("/"), token)
    return None


def server_pids() -> Sequence[int]:
    """The processes that may be the Jupyter server of this very kernel, the likeliest first."""
    # A kernel that a script or `conda run` starts has another parent. A program that a cell
    # runs has the variable too, but is no kernel.
    told = _variable("JPY_PARENT_PID") if _is_kernel() else ""
    return list(dict.fromkeys([os.getppid(), *([int(told)] if told.isdecimal() else [])]))


def _hub_token(base_url: str | None) -> str:
    """JupyterHub's, which also lets into the user's own server at that base path."""
    is_of_hub = base_url and base_url == _variable("JUPYTERHUB_SERVICE_PREFIX")
    return _variable("JUPYTERHUB_API_TOKEN") if is_of_hub else ""


def _variable(name: str) -> str:
    return os.environ.get(name, "")  # noqa: TID251 - Jupyter's own


def _is_kernel() -> bool:
    if "ipykernel" not in sys.modules:
        return False
    from ipykernel.kernelapp import IPKernelApp

    return bool(IPKernelApp.initialized())


class JupyterClient:
    """What we ask of a Jupyter server: start, use, watch and end a kernel."""

    def __init__(self, server: JupyterServer) -> None:
        self.server = server
        # As the system does, SSL_CERT_FILE included, and never a proxy that the environment names.
        self._tls = ssl.create_default_context() if server.url.startswith("https") else None
        self._http = httpx.Client(
            base_url=server.url,
            headers=_entry(server),
            timeout=30.0,
            trust_env=False,
            verify=self._tls or False,  # where there is no TLS there is nothing to verify
        )

    def usable(self) -> bool:
        """Whether it answers and lets us in."""
        try:
            self.check(timeout_s=5.0)
        except LinkError:
            return False
        return True

    def check(self, *, timeout_s: float = 10.0) -> None:
        """See whether it is a Jupyter server that lets us in.

        Raises:
            LinkError: nobody answers, it is none, it does not accept the token, or its
                certificate is not trusted.
        """
        url = self.server.url
        try:
            # Not the list of kernels: a Kernel Gateway shows that to nobody.
            reply = self._http.get("/api/kernelspecs", timeout=timeout_s)
        except httpx.TransportError as error:
            if isinstance(error, httpx.TimeoutException) and _answers_without_tls(url):
                raise server_errors.no_tls(url, "it answers without") from None
            # Not from it: its request holds the token.
            raise _named(url, error) from None
        if reply.status_code in (401, 403):
            raise server_errors.unauthorized(url, reply.status_code, token=self.server.token)
        if reply.status_code >= 500:
            raise server_errors.failed(url, reply.status_code)
        if not _has_specs(reply):
            raise server_errors.wrong(url, f"answers with status {reply.status_code}")

    def specs(self) -> Mapping[str, Sequence[str]]:
        """The kernelspecs it has: what each starts, by their names."""
        response = self._ask("GET", "/api/kernelspecs")
        if response.is_error:
            return {}
        known = response.json().get("kernelspecs", {})
        return {name: one.get("spec", {}).get("argv", ()) for name, one in known.items()}

    def kernels(self) -> Sequence[str]:
        """The ids of all kernels that it has."""
        response = self._ask("GET", "/api/kernels")
        return [str(one["id"]) for one in response.json()] if response.is_success else []

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def kernel_name(self, kernel_id: str) -> str | None:
        """The kernelspec a running kernel was started from."""
        response = self._ask("GET", f"/api/kernels/{kernel_id}")
        return cast("str", response.json()["name"]) if response.is_success else None

    def start_kernel(self, title: str, spec: str | None) -> str:
        """Start a kernel that the Running panel shows under `title`; its id."""
        body: Json = {
            "path": f"picsellia-serving-{uuid.uuid4().hex[:8]}",
            "name": title,
            "type": "console",
            "kernel": {"name": spec} if spec else {},
        }
        response = self._ask("POST", "/api/sessions", body)
        if response.status_code == httpx.codes.NOT_FOUND:
            # A Kernel Gateway has no sessions.
            response = self._ask("POST", "/api/kernels", body["kernel"])
            if response.is_success:
                return cast("str", response.json()["id"])
        if response.is_error:
            raise ServingError(
                f"The Jupyter server at {self.server.url} could not start a kernel: "
                f"{_message(response)}",
                "Try once more, or see the server's log.",
            )
        return cast("str", response.json()["kernel"]["id"])

    def delete_kernel(self, kernel_id: str) -> bool:
        """End a kernel; one that is gone already is fine.

        Returns:
            Whether the server knew it.
        """
        response = self._ask("DELETE", f"/api/kernels/{kernel_id}")
        if response.status_code == httpx.codes.NOT_FOUND:
            return False
        if response.is_error:
            raise ServingError(
                f"Kernel {kernel_id} could not be ended: {_message(response)}",
                "End it in Jupyter's Running panel.",
            )
        return True

    def alive(self, kernel_id: str) -> bool:
        """Whether the kernel is listed and not dead or just being restarted."""
        response = self._ask("GET", f"/api/kernels/{kernel_id}")
        if response.is_error:
            return False
        return response.json().get("execution_state") not in ("dead", "restarting")

    def execute(self, kernel_id: str, code: str, expression: str, *, timeout_s: float) -> str:
        """Run code in a kernel, unseen and out of its history; the value of an expression.

        Raises:
            ServingError: the code raised, the kernel died, or it took too long.
        """
        import websocket

        session = uuid.uuid4().hex
        query = urlencode({"session_id": session})
        address = f"{self.server.url}/api/kernels/{kernel_id}/channels?{query}"
        request = execute_request(session, code, expression)
        channel = websocket.WebSocket(sslopt={"context": self._tls} if self._tls else None)
        try:
            channel.settimeout(timeout_s)
            channel.connect(
                address.replace("http", "ws", 1),
                header=[f"{name}: {value}" for name, value in _entry(self.server).items()],
                suppress_origin=True,
                http_no_proxy=["*"],
            )
            channel.send(json.dumps(request))
            return _await_reply(channel, request["header"]["msg_id"], time.monotonic() + timeout_s)
        except (websocket.WebSocketException, OSError) as error:
            raise ServingError(
                f"Kernel {kernel_id} of {self.server.url} died or fell silent.",
                "See the Jupyter server's log, then deploy again.",
            ) from error
        finally:
            channel.close()

    def _ask(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        try:
            return self._http.request(method, path, json=body)
        except httpx.TransportError as error:
            raise _named(self.server.url, error) from None


def _entry(server: JupyterServer) -> dict[str, str]:
    """The header that lets us in."""
    return {"Authorization": f"token {server.token}"} if server.token else {}


def _named(url: str, error: httpx.TransportError) -> LinkError:
    """What was wrong when a server could not be asked."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return server_errors.of_tls(url, cause)
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.TimeoutException):
        return server_errors.unreachable(url, "it took too long")
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
        return server_errors.closed(url)
    return server_errors.unreachable(url, re.sub(r"^\[Errno -?\d+\] ", "", first_line(error)))


def _answers_without_tls(url: str) -> bool:
    """Whether a server that is silent over TLS speaks without; it is told no token."""
    if not url.startswith("https"):
        return False
    try:
        plain = url.replace("https", "http", 1)
        return httpx.get(f"{plain}/api", timeout=5.0, trust_env=False).is_success
    except httpx.TransportError:
        return False


def _has_specs(reply: httpx.Response) -> bool:
    try:
        return reply.is_success and "kernelspecs" in reply.json()
    except (ValueError, TypeError):
        return False


def execute_request(session: str, code: str, expression: str) -> Json:
    """A message that runs code silently and asks for the value of one expression."""
    return {
        "header": {
            "msg_id": uuid.uuid4().hex,
            "msg_type": "execute_request",
            "session": session,
            "username": "picsellia",
            "version": "5.3",
            "date": "",
        },
        "parent_header": {},
        "metadata": {},
        "channel": "shell",
        "buffers": [],
        "content": execute_content(code, expression),
    }


def execute_content(code: str, expression: str) -> Json:
    """What an `execute_request` holds."""
    return {
        "code": code,
        "silent": True,
        "store_history": False,
        "user_expressions": {"value": expression},
        "allow_stdin": False,
        "stop_on_error": True,
    }


def expression_value(content: Json) -> str:
    """The value in an `execute_reply`.

    Raises:
        PackageMissingError: a package could not be imported.
        ServingError: the code or the expression raised otherwise.
    """
    value = content.get("user_expressions", {}).get("value", {})
    failed = next((part for part in (content, value) if part.get("status") == "error"), None)
    if failed is not None:
        name, text = failed.get("ename", "Error"), failed.get("evalue", "")
        if name == "ModuleNotFoundError":
            raise PackageMissingError(
                f"The serving kernel's environment lacks a package: {text}.",
                "Install it there: pip install 'picsellia_jupyter[serving]'",
            )
        raise ServingError(
            f"The serving kernel could not start: {name}: {text}",
            "Deploy again; if it stays so, see the Jupyter server's log.",
        )
    return cast("str", value["data"]["text/plain"])


def _await_reply(channel: Any, request_id: str, deadline: float) -> str:
    while time.monotonic() < deadline:
        message = json.loads(channel.recv())
        of_ours = message.get("parent_header", {}).get("msg_id") == request_id
        if of_ours and message.get("msg_type") == "execute_reply":
            return expression_value(message["content"])
    raise TimeoutError("no execute_reply")


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json().get("message") or response.reason_phrase)
    except ValueError:
        return f"HTTP {response.status_code}"
