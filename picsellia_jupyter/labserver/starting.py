"""Handlers for this server's own kernels, which know the extension's secret.

They start serving kernels, tell them what to serve, and end them, where the server lets people
in by a password, or everybody, and so has no token that a kernel could use.
"""

from __future__ import annotations

import hmac
import json
import math
import time
import uuid
from queue import Empty
from typing import TYPE_CHECKING, Any, TypeGuard

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web
from typing_extensions import override

from picsellia_jupyter.clients.introductions import SECRET_HEADER
from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    NotFoundError,
    ServingError,
)
from picsellia_jupyter.labserver.closed import ClosedHandler
from picsellia_jupyter.launch import leases

if TYPE_CHECKING:
    from picsellia_jupyter.wire.predictions import Json

_MAX_TITLE = 200
_MAX_TIMEOUT_S = 600.0
_POLL_S = 1.0


class Desk:
    """What the handlers of one server share."""

    def __init__(self, secret: str) -> None:
        """Take requests that bear this secret."""
        self._secret = secret.encode()
        self._started: set[str] = set()

    def knows(self, given: str) -> bool:
        """Whether this is the secret."""
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._secret)

    def note(self, kernel_id: str) -> None:
        """Remember a kernel that was started here."""
        self._started.add(kernel_id)

    def forget(self, kernel_id: str) -> None:
        """Forget a kernel that was ended."""
        self._started.discard(kernel_id)

    def started(self, kernel_id: str) -> bool:
        """Whether a kernel was started here."""
        return kernel_id in self._started


class DeskHandler(ClosedHandler):
    """Lets those in who know the secret, and nobody else: no token, cookie or password counts."""

    @override
    def initialize(self, desk: Desk) -> None:
        """Prepare for a request.

        Args:
            desk: what the handlers share.
        """
        self.desk = desk

    @override
    async def prepare(self) -> None:
        # Jupyter's own would ask its identity provider, perhaps over the network, who this is.
        self.current_user = self._jupyter_current_user = None
        given = self.request.headers.get_list(SECRET_HEADER)
        # No browser is among those that know the secret.
        foreign = "Origin" in self.request.headers or not self.check_host()
        if foreign or len(given) != 1 or not self.desk.knows(given[0]):
            raise web.HTTPError(403)

    @override
    def check_xsrf_cookie(self) -> None:
        """The secret takes the place of the XSRF cookie; `prepare` has seen it."""

    @allow_unauthenticated
    async def options(self, *_path: str) -> None:
        """Nobody asks; a browser must not learn anything here."""
        raise web.HTTPError(405)

    def read_body(self) -> Json:
        """The JSON object in the body, empty if there is none.

        Raises:
            HTTPError: it is none.
        """
        try:
            body = json.loads(self.request.body or b"{}")
        except ValueError as error:
            raise web.HTTPError(400) from error
        if not isinstance(body, dict):
            raise web.HTTPError(400)
        return body

    def say(self, content: Json) -> None:
        """Answer."""
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(content, default=str))


class StartHandler(DeskHandler):
    """`POST picsellia/start`."""

    @allow_unauthenticated
    async def post(self) -> None:
        """Start a kernel as a session, so that the Running panel shows its title."""
        body = self.read_body()
        title, spec = body.get("title"), body.get("spec")
        if not isinstance(title, str) or not 0 < len(title) <= _MAX_TITLE:
            fact = f"The title must have 1 to {_MAX_TITLE} characters."
            self.tell(400, InvalidInputError(fact, 'Send {"title": "…", "spec": null}.'))
            return
        if spec is not None and spec not in self.kernel_spec_manager.find_kernel_specs():
            error = NotFoundError(
                "This Jupyter server has no such kernelspec.", "See: jupyter kernelspec list"
            )
            self.tell(404, error)
            return
        try:
            session = await ensure_async(
                self.session_manager.create_session(
                    path=f"picsellia-serving-{uuid.uuid4().hex[:8]}",
                    name=title,
                    type="console",
                    kernel_name=spec,
                )
            )
        except (NoSuchKernel, OSError, RuntimeError) as error:
            self.log.warning("No serving kernel could be started: %r", error)
            self.tell(500, ServingError("The kernel did not start.", "See the server's log."))
            return
        kernel_id = session["kernel"]["id"]
        self.desk.note(kernel_id)
        self.say({"id": kernel_id})


class KernelsHandler(DeskHandler):
    """`GET picsellia/kernels`."""

    @allow_unauthenticated
    async def get(self) -> None:
        """List the server's kernels, with the titles of those that serve, and its kernelspecs."""
        running = await ensure_async(self.kernel_manager.list_kernels())
        specs = await ensure_async(self.kernel_spec_manager.get_all_specs())
        argv = {name: found["spec"].get("argv", []) for name, found in specs.items()}
        self.say({"kernels": [_described(model) for model in running], "specs": argv})


class KernelHandler(DeskHandler):
    """`DELETE picsellia/kernels/{id}`."""

    @allow_unauthenticated
    async def delete(self, kernel_id: str) -> None:
        """End a serving kernel, and no other."""
        # A user's own kernel and an unknown one are refused alike.
        if not self._may_end(kernel_id):
            self.tell(404, _no_kernel())
            return
        await ensure_async(self.kernel_manager.shutdown_kernel(kernel_id))
        self.desk.forget(kernel_id)
        self.set_status(204)
        self.finish()

    def _may_end(self, kernel_id: str) -> bool:
        """Whether it serves, or was started to: by its lease, by us, or by its kernelspec."""
        from picsellia_jupyter.launch.kernels import SPEC

        if kernel_id not in self.kernel_manager:
            return False
        ours = leases.left(kernel_id) is not None or self.desk.started(kernel_id)
        return ours or self.kernel_manager.get_kernel(kernel_id).kernel_name == SPEC


class ExecuteHandler(DeskHandler):
    """`POST picsellia/kernels/{id}/execute`."""

    @allow_unauthenticated
    async def post(self, kernel_id: str) -> None:
        """Run code in a kernel that was started here; answers with its `execute_reply`."""
        from picsellia_jupyter.clients.jupyter import execute_content

        if not self.desk.started(kernel_id) or kernel_id not in self.kernel_manager:
            self.tell(404, _no_kernel())
            return
        body = self.read_body()
        code, expression = body.get("code"), body.get("expression")
        timeout_s = body.get("timeout_s")
        if not (isinstance(code, str) and isinstance(expression, str) and _is_time(timeout_s)):
            fact = (
                f"Code and expression must be text, timeout_s above 0, at most {_MAX_TIMEOUT_S:g}."
            )
            self.tell(400, InvalidInputError(fact, 'Send {"code", "expression", "timeout_s"}.'))
            return
        kernel = self.kernel_manager.get_kernel(kernel_id)
        try:
            self.say(await _run(kernel, execute_content(code, expression), timeout_s))
        except (RuntimeError, TimeoutError):
            error = ServingError(
                "The kernel died or fell silent.",
                "See the Jupyter server's log, then deploy again.",
            )
            self.tell(504, error)


async def _run(kernel: Any, content: Json, timeout_s: float) -> Json:
    """What a kernel replies to an `execute_request`.

    Raises:
        RuntimeError: it died.
        TimeoutError: it takes too long.
    """
    # A session of its own: the kernel tells its clients apart by it.
    session = kernel.session.clone()
    session.session = uuid.uuid4().hex
    channels = kernel.client(session=session)
    channels.start_channels(iopub=False, stdin=False, hb=False)
    try:
        deadline, process = time.monotonic() + timeout_s, _process(kernel)
        sent = channels.session.msg("execute_request", content)
        channels.shell_channel.send(sent)
        while time.monotonic() < deadline:
            # One that Jupyter has started anew meanwhile knows nothing of the request.
            if not await ensure_async(kernel.is_alive()) or _process(kernel) != process:
                raise RuntimeError("the kernel died")
            try:
                reply = await channels.get_shell_msg(timeout=_POLL_S)
            except Empty:
                continue
            if reply["parent_header"].get("msg_id") == sent["header"]["msg_id"]:
                answer: Json = reply["content"]
                return answer
        raise TimeoutError("no execute_reply")
    finally:
        channels.stop_channels()


def _process(kernel: Any) -> object:
    return getattr(kernel.provisioner, "pid", None)


def _described(model: Json) -> Json:
    lease = leases.read(model["id"])
    return {
        "id": model["id"],
        "spec": model["name"],
        "state": model["execution_state"],
        "title": lease.title if lease else "",
    }


def _is_time(value: object) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return math.isfinite(value) and 0 < value <= _MAX_TIMEOUT_S


def _no_kernel() -> NotFoundError:
    return NotFoundError(
        "This Jupyter server has no serving kernel of this id.", "See %deployments."
    )
