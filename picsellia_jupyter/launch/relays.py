"""The relays of a session: one for each kernel elsewhere that works with its local platform."""

from __future__ import annotations

import threading
from collections.abc import Callable

from picsellia_jupyter.clients.endpoint import Endpoint
from picsellia_jupyter.clients.platform import PlatformClient
from picsellia_jupyter.launch import loopback
from picsellia_jupyter.launch.relaying import Relay


class Relays:
    """Performs what kernels elsewhere ask of a platform that only this machine reaches."""

    def __init__(self) -> None:
        self._running: dict[str, Relay] = {}
        self._needless: set[str] = set()
        self._changing = threading.Lock()

    def begin(self, kernel_id: str, front: str, host: str, token: Callable[[], str]) -> None:
        """Begin with a kernel that was just started.

        Args:
            kernel_id: of it.
            front: its front's address on this machine.
            host: address of the platform.
            token: gives the front's control token.
        """
        with self._changing:
            self._running[kernel_id] = Relay(front, host, token)

    def begin_again(
        self, kernel_id: str, front: str, platform: PlatformClient, deployment_id: str
    ) -> None:
        """Begin with a kernel that another session has started, where it needs one."""
        with self._changing:
            known = kernel_id in self._running or kernel_id in self._needless
            if known or not loopback.is_loopback(platform.host):
                return
            endpoint = Endpoint(front, platform.token, deployment_id)
            running = endpoint.running()
            if running is not None and running.relayed:
                self._running[kernel_id] = Relay(
                    front, platform.host, endpoint.log_in, deployment_id=deployment_id
                )
                return
            endpoint.close()
            if running is not None:
                self._needless.add(kernel_id)

    def running(self, kernel_id: str) -> Relay | None:
        """That of a kernel, if it has one."""
        return self._running.get(kernel_id)

    def end(self, kernel_id: str) -> None:
        """End that of a kernel that has ended."""
        with self._changing:
            relay = self._running.pop(kernel_id, None)
        if relay is not None:
            relay.close()

    def close(self) -> None:
        """End all."""
        for kernel_id in tuple(self._running):
            self.end(kernel_id)
