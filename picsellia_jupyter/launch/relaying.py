"""Performs what a serving kernel elsewhere asks of the platform that this machine can reach."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from picsellia_jupyter.domain.errors import NotServingError
from picsellia_jupyter.wire import tunnel

WAIT_S = 20.0
PERFORM_S = 25.0
"""The platform answers within this time; the kernel gives a request up some seconds later."""
PIECE = 1024 * 1024
_PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_THREADS = 4
_GIVEN_UP = (httpx.codes.NOT_FOUND, httpx.codes.CONFLICT, httpx.codes.SERVICE_UNAVAILABLE)

_log = logging.getLogger(__name__)


class Relay:
    """Fetches requests from a kernel's front and performs them, in threads of its own.

    They go to one platform, whatever a request says: only its path is taken from it. Replies are
    passed on as they are; a redirect is one of them and is not followed.
    """

    def __init__(
        self,
        front: str,
        platform: str,
        token: Callable[[], str],
        *,
        deployment_id: str | None = None,
        threads: int = _THREADS,
    ) -> None:
        """Begin.

        Args:
            front: address of the kernel's front, such as a tunnel's.
            platform: address of the platform.
            token: gives the front's control token; or, with a `deployment_id`, one from its
                `/api/login`. Asked again where the last one is not accepted any more.
            deployment_id: of the deployment whose token it is.
            threads: how many requests may be under way at once.
        """
        base = f"/api/deployments/{deployment_id}/relay" if deployment_id else "/control/relay"
        self._base = f"{front.rstrip('/')}{base}"
        self._platform = platform.rstrip("/")
        self._token = token
        self._closed = threading.Event()
        self._counting = threading.Lock()
        self._name = uuid.uuid4().hex
        self.trouble = ""
        """Why nothing can be fetched; empty while it can."""
        self.performed = 0
        """Requests that were answered so far."""
        self._threads = [
            threading.Thread(target=self._run, name="relay", daemon=True) for _ in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Fetch nothing more; what is under way is finished in its thread."""
        self._closed.set()

    def _run(self) -> None:
        failures = 0
        with _client() as front, _client() as platform:
            at = (self._base, self._platform)
            worker = _Worker(at, self._name, self._token, front, platform)
            while not self._closed.is_set():
                try:
                    if worker.once():
                        self._count()
                    self.trouble, failures = "", 0
                except (httpx.HTTPError, NotServingError) as error:
                    self._pause(error, failures)
                    failures += 1
                except Exception:  # noqa: BLE001 - the next request may go well
                    _log.exception("A request of the kernel was not relayed")
                    self._pause(NotServingError("A request was not relayed."), failures)
                    failures += 1

    def _count(self) -> None:
        with self._counting:
            self.performed += 1

    def _pause(self, error: Exception, failures: int) -> None:
        # The text of an HTTP error may name an address; tokens are in none.
        self.trouble = f"The kernel cannot be asked ({type(error).__name__})."
        pause_s = _PAUSES_S[min(failures, len(_PAUSES_S) - 1)]
        self._closed.wait(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - spreads retries


class _Worker:
    """One thread's clients, and what it does with one request."""

    def __init__(
        self,
        at: tuple[str, str],
        name: str,
        token: Callable[[], str],
        front: httpx.Client,
        at_platform: httpx.Client,
    ) -> None:
        (self._base, self._address), self._name, self._token = at, name, token
        self._front, self._platform = front, at_platform
        self._bearer = ""

    def once(self) -> bool:
        """Wait for a request and perform it; whether there was one.

        Raises:
            httpx.HTTPError: the front does not answer.
            NotServingError: it answers with an error.
        """
        params = {"wait_s": WAIT_S, "by": self._name}
        reply = self._ask("GET", "/next", params=params, timeout=WAIT_S + 15)
        if reply.status_code == httpx.codes.NO_CONTENT:
            return False
        said = reply.json()
        with contextlib.suppress(_GivenUpError):
            self._perform(said)
        return True

    def _perform(self, said: dict[str, Any]) -> None:
        here = f"/{said['id']}"
        try:
            with self._answered(said) as answer:
                headers = tunnel.end_to_end(answer.headers.multi_items())
                head = {"status": answer.status_code, "headers": headers}
                self._ask("POST", f"{here}/head", json=head)
                self._pass_on(here, answer)
        except _PlatformFailedError as error:
            self._ask("POST", f"{here}/head", json={"error": str(error)})

    @contextlib.contextmanager
    def _answered(self, said: dict[str, Any]) -> Iterator[httpx.Response]:
        target = str(said["target"])
        if not target.startswith("/"):
            raise _PlatformFailedError("The request names no path of the platform.")
        headers = tunnel.end_to_end(map(tuple, said["headers"]), without=("host",))
        request = self._platform.build_request(
            said["method"], f"{self._address}{target}",
            headers=headers, content=self._body(said), timeout=PERFORM_S,
        )  # fmt: skip
        try:
            answer = self._platform.send(request, stream=True)
        except httpx.TransportError as error:
            fact = f"The platform does not answer ({type(error).__name__})."
            raise _PlatformFailedError(fact) from error
        with contextlib.closing(answer):
            yield answer

    def _body(self, said: dict[str, Any]) -> bytes:
        body, length = bytearray(), int(said["length"])
        if not length and said.get("confirm"):
            # Asking for it tells the kernel that we are there, and begin.
            self._ask("GET", f"/{said['id']}/body", params={"at": 0})
        while len(body) < length:
            reply = self._ask("GET", f"/{said['id']}/body", params={"at": len(body)})
            if not reply.content:
                raise _GivenUpError
            body += reply.content
        return bytes(body)

    def _pass_on(self, here: str, answer: httpx.Response) -> None:
        seq, piece = -1, b""
        try:
            for following in answer.iter_raw(PIECE):
                if seq >= 0:
                    self._give(here, seq, piece, more=True)
                seq, piece = seq + 1, following
        except httpx.TransportError as error:
            fact = f"The platform's reply ended early ({type(error).__name__})."
            raise _PlatformFailedError(fact) from error
        self._give(here, max(seq, 0), piece, more=False)

    def _give(self, here: str, seq: int, piece: bytes, *, more: bool) -> None:
        params = {"seq": seq, "more": int(more)}
        try:
            self._ask("POST", here, params=params, content=piece, timeout=45)
        except httpx.TransportError as error:
            raise NotServingError("The kernel went away during a reply.") from error

    def _ask(self, method: str, path: str, **said: Any) -> httpx.Response:
        """Ask the front, with a new token where the old one is not good any more."""
        self._bearer = self._bearer or self._token()
        reply = self._try(method, path, said)
        if reply.status_code == httpx.codes.UNAUTHORIZED:
            self._bearer = self._token()
            reply = self._try(method, path, said)
        if reply.status_code in _GIVEN_UP and path != "/next":
            raise _GivenUpError
        if reply.is_error:
            raise NotServingError(f"The kernel answers HTTP {reply.status_code}.")
        return reply

    def _try(self, method: str, path: str, said: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._bearer}"}
        return self._front.request(method, f"{self._base}{path}", headers=headers, **said)


class _GivenUpError(Exception):
    """The kernel does not wait for this reply any more."""


class _PlatformFailedError(Exception):
    """There is no reply, or not the whole of it; the kernel is told so."""


def _client() -> httpx.Client:
    # Both are on loopback, which no proxy leads to.
    return httpx.Client(trust_env=False, timeout=30.0, follow_redirects=False)
