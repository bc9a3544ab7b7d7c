"""How a notebook reaches the serving kernels it knows of."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLateError

from picsellia_jupyter.clients.jupyter import JupyterServer
from picsellia_jupyter.domain.deployments import ServingKernel
from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.links import LinkError, LinkState, Trouble
from picsellia_jupyter.domain.places import Kind, Place
from picsellia_jupyter.launch import leases
from picsellia_jupyter.launch.places import Places
from picsellia_jupyter.launch.tunnel import Tunnel

LINK_TIMEOUT_S = 15.0


class Reaches:
    """A loopback address for each serving kernel, wherever it runs.

    A kernel of this machine is asked directly. For any other one a tunnel through its Jupyter
    server is kept open as long as this session lives; its address stays the same.
    """

    def __init__(self, places: Places, *, direct: bool = True) -> None:
        """Reach nothing yet.

        Args:
            places: knows the servers and their tokens.
            direct: whether a kernel whose lease is on this machine is asked without a tunnel.
        """
        self._places = places
        self._direct = direct
        self._tunnels: dict[str, Tunnel] = {}
        self._digging = threading.Lock()
        self._attempts: dict[str, Future[str]] = {}

    def address_within(self, serving: ServingKernel, within_s: float) -> str:
        """The address, where the kernel is reached so soon; nobody is asked for a token.

        What takes longer goes on beside, so that the next one who asks may have it at once.

        Raises:
            LinkError: it is not reached, or not yet.
        """
        place = self._place(serving)
        if place.kind is not Kind.SERVER:
            return serving.address
        try:
            return self._attempt(serving).result(within_s)
        except TooLateError:
            state = self.link(serving.kernel_id)
            if state is not None and state.error is not None:
                raise state.error from None
            raise LinkError(
                Trouble.CONNECTING,
                f"{place.name} has not answered within {within_s:g} s.",
                "It is asked on; look again in a moment.",
            ) from None

    def _attempt(self, serving: ServingKernel) -> Future[str]:
        """An attempt to reach a kernel that is under way, or a new one."""
        attempt = self._attempts.get(serving.kernel_id)
        if attempt is None or attempt.done():
            attempt = self._attempts[serving.kernel_id] = Future()
            made = (attempt, serving)
            threading.Thread(target=self._try, args=made, name="reach", daemon=True).start()
        return attempt

    def _try(self, attempt: Future[str], serving: ServingKernel) -> None:
        try:
            attempt.set_result(self.address(serving, asks=False))
        except Exception as error:  # noqa: BLE001 - told to who waits for it
            attempt.set_exception(error)

    def address(self, serving: ServingKernel, *, asks: bool = True) -> str:
        """`http://127.0.0.1:PORT`, where its front answers any client of this machine.

        Args:
            serving: the kernel.
            asks: whether the user may be asked for a token.

        Raises:
            LinkError: its Jupyter server does not let us through to it, or its place is not
                saved any more.
        """
        place = self._place(serving)
        if place.kind is not Kind.SERVER:
            return serving.address
        lease = leases.read(serving.kernel_id) if self._direct else None
        if lease is not None:
            return lease.address
        with self._digging:
            tunnel = self._tunnels.get(serving.kernel_id)
            if tunnel is None:
                return self._dig(self._server(place, asks), serving.kernel_id)
        try:
            tunnel.wait(LINK_TIMEOUT_S)
        except LinkError as error:
            if error.trouble is not Trouble.UNAUTHORIZED:
                raise
            # There may be a new token by now; the address stays.
            tunnel.lead_to(self._server(place, asks), serving.kernel_id)
            tunnel.wait(LINK_TIMEOUT_S)
        return tunnel.address

    def lead(self, server: JupyterServer, kernel_id: str) -> str:
        """The address for a kernel that was just started on a server of a place."""
        lease = leases.read(kernel_id) if self._direct else None
        if lease is not None:
            return lease.address
        return self._dig(server, kernel_id)

    def link(self, kernel_id: str) -> LinkState | None:
        """How the link to a kernel is; None where it needs none."""
        tunnel = self._tunnels.get(kernel_id)
        return tunnel.state if tunnel else None

    def leave(self, kernel_id: str) -> None:
        """Close the tunnel to a kernel that has ended."""
        tunnel = self._tunnels.pop(kernel_id, None)
        if tunnel is not None:
            tunnel.close()

    def close(self) -> None:
        """Close all tunnels."""
        for kernel_id in tuple(self._tunnels):
            self.leave(kernel_id)

    def _server(self, place: Place, asks: bool) -> JupyterServer:
        client = self._places.client(place, asks=asks)
        client.close()
        return client.server

    def _dig(self, server: JupyterServer, kernel_id: str) -> str:
        tunnel = Tunnel(server, kernel_id)
        try:
            tunnel.wait(LINK_TIMEOUT_S)
        except BaseException:
            tunnel.close()
            raise
        self._tunnels[kernel_id] = tunnel
        return tunnel.address

    def _place(self, serving: ServingKernel) -> Place:
        try:
            return self._places.parse(serving.place)
        except NotFoundError:
            raise LinkError(
                Trouble.WRONG_ADDRESS,
                f"It is served at {serving.place!r}, which is no saved place here.",
                f"Save it: %places add {serving.place} https://HOST:PORT",
            ) from None
