"""What the kernels of the benchmark serve: an app with a worker process, and no model."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

WORK_S = 0.005
TOKEN = "token-of-the-toy"
ANSWER = json.dumps({"detection_boxes": [[11, 12, 13, 14]] * 50, "pad": "x" * 60}).encode()
"""About 1 kB."""

_HEAD = struct.Struct("<QI")
Event = MutableMapping[str, Any]


def serve() -> str:
    """Serve in the kernel that runs this, on a port and over the control channel; its address."""
    import uvicorn
    from IPython import get_ipython

    from picsellia_jupyter.serving import front
    from picsellia_jupyter.serving.tunnel import answer_over_control

    listener = front.listen()
    address = front.address_of(listener)
    started = threading.Event()
    worker = start_worker()

    async def run() -> None:
        app = Toy(*await asyncio.open_connection(sock=worker))
        kernel = get_ipython().kernel
        answer_over_control(kernel, app, asyncio.get_running_loop(), address)
        started.set()
        config = uvicorn.Config(
            app, ws="none", http="h11", lifespan="off", access_log=False, log_config=None
        )
        await uvicorn.Server(config).serve(sockets=[listener])

    threading.Thread(target=asyncio.run, args=(run(),), daemon=True).start()
    started.wait(30)
    return address


def start_worker() -> socket.socket:
    """A worker that ends when this process does, and the connection to it."""
    near, far = socket.socketpair()
    command = [sys.executable, "-m", "benchmarks.places.worker", str(far.fileno())]
    subprocess.Popen(command, pass_fds=[far.fileno()], start_new_session=True)
    far.close()
    return near


class Toy:
    """Asks for its token, reads the body, has the worker work, and answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._hearing = asyncio.ensure_future(self._hear(reader))
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._last = 0

    async def __call__(
        self,
        scope: Event,
        receive: Callable[[], Awaitable[Event]],
        send: Callable[[Event], Awaitable[None]],
    ) -> None:
        """Answer a request."""
        body, more = b"", True
        while more:
            event = await receive()
            body += event.get("body", b"")
            more = event.get("more_body", False)
        # The Lab server's proxy keeps Authorization for itself.
        told = dict(scope["headers"])
        tokens = told.get(b"authorization"), told.get(b"x-front-token")
        allowed = b"Bearer " + TOKEN.encode() in tokens or TOKEN.encode() in tokens
        if allowed:
            await self._work(body)
        content = ANSWER if allowed else b"{}"
        headers = [(b"content-length", b"%d" % len(content))]
        start = {"type": "http.response.start", "status": 200 if allowed else 401}
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _work(self, body: bytes) -> None:
        self._last += 1
        done = self._waiting[self._last] = asyncio.get_running_loop().create_future()
        self._writer.write(_HEAD.pack(self._last, len(body)) + body)
        await done

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while True:
            number, _ = _HEAD.unpack(await reader.readexactly(_HEAD.size))
            self._waiting.pop(number).set_result(None)


async def work(descriptor: int) -> None:
    """Take each request for 5 ms, any number at once, as a batch on a GPU would."""
    reader, writer = await asyncio.open_connection(sock=socket.socket(fileno=descriptor))
    loop = asyncio.get_running_loop()
    while True:
        number, size = _HEAD.unpack(await reader.readexactly(_HEAD.size))
        await reader.readexactly(size)
        loop.call_later(WORK_S, writer.write, _HEAD.pack(number, 0))
