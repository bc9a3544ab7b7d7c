"""A small ASGI app and what serves it from a kernel, over the control channel alone.

It stands for a front: it asks for a token and for its own Host, and knows what it was asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import threading
from urllib.parse import parse_qs

ADDRESS = "http://127.0.0.1:9"
TOKEN = "token-of-the-front"


class Echo:
    """Answers with what it was sent, in ways that a path chooses."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.gone = 0
        self.turns = asyncio.Semaphore(0)
        self.changed = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        headers = {name.decode(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers["host"] != "127.0.0.1:9":
            await answer(send, 403, {"message": "Host"})
        elif scope["path"] == "/api/login":
            await answer(send, 200, {"jwt": TOKEN, "expires": 2**40})
        elif headers.get("authorization") != f"Bearer {TOKEN}":
            await answer(send, 401, {"message": "token"})
        else:
            query = {
                name: values[0] for name, values in parse_qs(scope["query_string"].decode()).items()
            }
            route = getattr(self, scope["path"].strip("/").partition("/")[0])
            await route(scope | {"headers": headers, "query": query}, receive, send)

    async def told(self, scope, receive, send) -> None:
        """What came, as JSON."""
        body = await read(receive)
        told = {key: scope[key] for key in ("method", "path", "headers", "query")}
        told["raw_path"] = scope["raw_path"].decode()
        told["sha256"], told["length"] = hashlib.sha256(body).hexdigest(), len(body)
        await answer(send, 200, told)

    async def back(self, scope, receive, send) -> None:
        """The body as it came."""
        body = await read(receive)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"x-length", str(len(body)).encode())],
            }
        )
        await send({"type": "http.response.body", "body": body})

    async def stream(self, scope, receive, send) -> None:
        """Each piece of the body as soon as it comes."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            more = event["more_body"]
            await send({"type": "http.response.body", "body": event["body"], "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def sink(self, scope, receive, send) -> None:
        """How much came, and its digest; nothing of it is kept."""
        digest, length, more = hashlib.sha256(), 0, True
        while more:
            event = await receive()
            digest.update(event["body"])
            length, more = length + len(event["body"]), event["more_body"]
        await answer(send, 200, {"sha256": digest.hexdigest(), "length": length})

    async def source(self, scope, receive, send) -> None:
        """So many mebibytes, made as they are sent."""
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(int(scope["query"]["mebibytes"])):
            body = bytes([number % 256]) * 2**20
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def lines(self, scope, receive, send) -> None:
        """Numbered lines, each once `next` was asked for."""
        headers = [(b"content-type", b"application/x-ndjson")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for index in range(3):
            await send({"type": "http.response.body", "body": b"%d\n" % index, "more_body": True})
            await self.turns.acquire()
        await send({"type": "http.response.body", "body": b""})

    async def next(self, scope, receive, send) -> None:
        """Have `lines` go on."""
        self.turns.release()
        await answer(send, 200, {})

    async def count(self, scope, receive, send) -> None:
        """How often this key was asked for; after `wait` seconds."""
        key = scope["query"]["key"]
        self.counts[key] = self.counts.get(key, 0) + 1
        await asyncio.sleep(float(scope["query"].get("wait", 0)))
        await answer(send, 200, {"key": key, "count": self.counts[key]})

    async def twice(self, scope, receive, send) -> None:
        """How many keys were asked for more than once."""
        await answer(send, 200, {"twice": [key for key, n in self.counts.items() if n > 1]})

    async def forever(self, scope, receive, send) -> None:
        """No answer until the client goes."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self.gone += 1
        self.changed.set()

    async def left(self, scope, receive, send) -> None:
        """How many clients went; once they are more than `beyond`."""
        while self.gone <= int(scope["query"].get("beyond", -1)):
            await self.changed.wait()
        await answer(send, 200, {"left": self.gone})

    async def fails(self, scope, receive, send) -> None:
        """A mistake, after the first piece of the reply if `late`."""
        if "late" in scope["query"]:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"some", "more_body": True})
        raise RuntimeError("a secret of the app")


async def read(receive) -> bytes:
    """The whole body."""
    pieces, more = [], True
    while more:
        event = await receive()
        pieces.append(event["body"])
        more = event["more_body"]
    return b"".join(pieces)


async def answer(send, status: int, content) -> None:
    """A JSON reply."""
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def serve() -> None:
    """Answer in the kernel that runs this."""
    from IPython import get_ipython

    from picsellia_jupyter.serving.tunnel import answer_over_control

    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    answer_over_control(get_ipython().kernel, Echo(), loop, ADDRESS)
