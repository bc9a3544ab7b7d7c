"""A loopback HTTP address for a serving kernel of which only its Jupyter server can be reached."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Iterator

from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.domain.errors import ConflictError
from picsellia_jupyter.domain.links import LinkState
from picsellia_jupyter.launch import listener
from picsellia_jupyter.launch.link import Link
from picsellia_jupyter.launch.proxied import Proxy

_CLOSE_TIMEOUT_S = 5.0
_NUDGE_S = 0.6


class Tunnel:
    """Carries HTTP requests to a serving kernel over its websocket's control channel.

    Bodies over 4 MiB go through the proxy of the kernel's Jupyter server instead, where that has
    our extension.

    Any client may ask `address`, which stays the same while the tunnel lives: the SDK, httpx,
    curl. The connection is made anew when it breaks, and what was under way goes on; a request
    that cannot be answered is, with 503 and the reason. The tunnel runs in a thread of its own
    and ends with the process, or with `close`.
    """

    def __init__(
        self,
        server: JupyterServer,
        kernel_id: str,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """Listen at once, and connect in the background.

        Args:
            server: the Jupyter server or Kernel Gateway that owns the kernel.
            kernel_id: of the serving kernel.
            port: to listen on; any free one by default.
            tls: how to check the server's certificate; as the system does by default.

        Raises:
            ConflictError: the port is in use.
        """
        try:
            self._listening = listener.listen(port)
        except OSError as error:
            fact = f"Port {port} is in use on this machine."
            raise ConflictError(fact, "Choose another one, or none at all.") from error
        self.address = f"http://{listener.HOST}:{self._listening.getsockname()[1]}"
        """`http://127.0.0.1:PORT`."""
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._link = Link(server, kernel_id, tls, self._notify)
        self._proxy = Proxy(server, kernel_id, tls)
        self._closing = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="picsellia tunnel", daemon=True)
        self._thread.start()

    def __enter__(self) -> Tunnel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Tunnel {self.address}, {self.state}>"

    @property
    def state(self) -> LinkState:
        """Whether it is connected, and why not; `str` of it is one line."""
        return self._link.state

    @property
    def front_address(self) -> str | None:
        """The front's address on the kernel's own machine; None before the first connection."""
        return self._link.welcome.address if self._link.welcome else None

    @property
    def version(self) -> str | None:
        """Of this package in the kernel; None before the first connection."""
        return self._link.welcome.version if self._link.welcome else None

    @property
    def proxied(self) -> int:
        """Requests that went through the proxy so far."""
        return self._proxy.carried

    def wait(self, timeout_s: float) -> None:
        """Wait until it is connected.

        Raises:
            LinkError: it is not, for the reason it gives.
        """
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while (error := self.state.error) is not None:
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not error.trouble.may_pass:
                    raise error
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._link.nudge)
                self._changed.wait(min(left_s, _NUDGE_S))

    def lead_to(self, server: JupyterServer, kernel_id: str) -> None:
        """Go on with another token, or to the kernel that took the place of one that is gone.

        The address stays. Requests under way to another kernel are answered with 503.
        """
        led = threading.Event()

        def lead() -> None:
            self._link.lead_to(server, kernel_id)
            self._proxy.lead_to(server, kernel_id)
            led.set()

        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(lead)
            led.wait(_CLOSE_TIMEOUT_S)

    def close(self) -> None:
        """End the connection and the listener; requests under way are answered with 503."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join(_CLOSE_TIMEOUT_S)

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            with _silenced("tornado.general"):
                self._loop.run_until_complete(self._live())
        finally:
            self._loop.close()

    async def _live(self) -> None:
        listening = listener.Listener(self._link, self._proxy, self._listening)
        keeping = asyncio.ensure_future(self._link.keep())
        await self._closing.wait()
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        await listening.close()


@contextlib.contextmanager
def _silenced(logger: str) -> Iterator[None]:
    """Keep what a logger says in this thread from the user's cells: `state` says it better."""
    thread = threading.get_ident()

    def is_elsewhere(record: logging.LogRecord) -> bool:
        return record.thread != thread

    logging.getLogger(logger).addFilter(is_elsewhere)
    try:
        yield
    finally:
        logging.getLogger(logger).removeFilter(is_elsewhere)
