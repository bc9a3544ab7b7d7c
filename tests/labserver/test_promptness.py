"""Kernel websockets do not hold small messages back, and open whatever comes of it."""

from __future__ import annotations

import asyncio

import pytest
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler

from picsellia_jupyter.labserver.promptness import send_at_once


class Handler(KernelWebsocketHandler):
    """Opened without a server; its socket may be gone already."""

    def __init__(self, *, broken: bool) -> None:
        self.broken = broken
        self.said: list[object] = []

    def set_nodelay(self, value: bool) -> None:
        self.said.append(value)
        if self.broken:
            raise OSError("gone")


@pytest.fixture
def patched(monkeypatch):
    """The class as after two extensions were loaded, with an `open` that only tells."""

    async def opened(self, kernel_id):
        self.said.append(kernel_id)

    monkeypatch.setattr(KernelWebsocketHandler, "open", opened)
    send_at_once()
    send_at_once()


@pytest.mark.parametrize("broken", [False, True])
def test_a_kernels_websocket_sends_at_once_and_opens_even_where_it_cannot(patched, broken):
    handler = Handler(broken=broken)
    asyncio.run(handler.open("a-kernel"))
    assert handler.said == [True, "a-kernel"]


def test_a_jupyter_server_without_that_method_is_left_alone(monkeypatch):
    monkeypatch.setattr(KernelWebsocketHandler, "open", None)
    send_at_once()
    assert KernelWebsocketHandler.open is None
