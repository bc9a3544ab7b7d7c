"""Load on a server: closed loops by wrk or our own client, and an open loop at a fixed rate."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from benchmarks.serving import workload
from benchmarks.serving.servers import Running

_SCRIPT = """
local bodies, next = {}, 0
for number = 0, %d do
  local file = io.open("%s/" .. number .. ".%s", "rb")
  bodies[number + 1] = file:read("*a")
  file:close()
end
wrk.method = "POST"
%s
request = function()
  next = next %% #bodies + 1
  return wrk.format(nil, nil, nil, bodies[next])
end
done = function(summary, latency)
  local form = '\\n{"requests": %%d, "us": %%d, "bad": %%d, "p50": %%f, "p95": %%f, "p99": %%f}\\n'
  io.write(string.format(form,
    summary.requests, summary.duration,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status
    + summary.errors.timeout,
    latency:percentile(50) / 1000, latency:percentile(95) / 1000, latency:percentile(99) / 1000))
end
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One measurement at one concurrency."""

    clients: int
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    failed: int
    cpu_ms: float
    """Of the server's processes, per request."""


def generator() -> str:
    """What makes the load."""
    return "wrk" if shutil.which("wrk") else "our own asyncio client (wrk is not on the PATH)"


def step(server: Running, folder: Path, clients: int, seconds: float, kind: str = "form") -> Step:
    """So many clients, each waiting for its answer before it sends again."""
    cpu = server.cpu_s()
    if shutil.which("wrk"):
        found = _wrk(server, folder, clients, seconds, kind)
    else:
        bodies = [(folder / f"{number}.{kind}").read_bytes() for number in range(workload.PHOTOS)]
        found = asyncio.run(_closed(server, bodies, clients, seconds))
    spent = server.cpu_s() - cpu
    count = max(1, int(found["requests"]))
    return Step(
        clients,
        count / found["us"] * 1e6,
        found["p50"],
        found["p95"],
        found["p99"],
        int(found["bad"]),
        spent / count * 1e3,
    )


def _wrk(
    server: Running, folder: Path, clients: int, seconds: float, kind: str
) -> Mapping[str, float]:
    headers = "\n".join(f'wrk.headers["{k}"] = "{v}"' for k, v in server.headers.items())
    script = folder / "load.lua"
    script.write_text(_SCRIPT % (workload.PHOTOS - 1, folder, kind, headers))
    command = [
        "wrk", "-t1", f"-c{clients}", f"-d{max(1, round(seconds))}s", "--timeout", "30s",
        "-s", str(script), server.url,
    ]  # fmt: skip
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: Mapping[str, float] = json.loads(out.strip().splitlines()[-1])
    return found


# Our own client ----------------------------------------------------------------------------


def spelt(server: Running, body: bytes) -> bytes:
    """A whole request."""
    place = urlsplit(server.url)
    told = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())
    head = f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n{told}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """One connection, kept open."""

    def __init__(self, server: Running) -> None:
        place = urlsplit(server.url)
        self._place = (place.hostname, place.port)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open it, unless it is."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._place)
        return self._streams

    async def ask(self, request: bytes) -> tuple[int, float]:
        """Send a request; the answer's status, and the seconds until it came whole."""
        began = time.perf_counter()
        reader, writer = await self.open()
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b"content-length: " in head:
            await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        if b"connection: close" in head:
            self.close()
        return int(head.split(b" ", 2)[1]), time.perf_counter() - began

    def close(self) -> None:
        """Close it."""
        if self._streams:
            self._streams[1].close()
        self._streams = None


async def _closed(
    server: Running, bodies: list[bytes], clients: int, seconds: float
) -> Mapping[str, float]:
    requests = [spelt(server, body) for body in bodies]
    began = time.perf_counter()
    said: list[tuple[int, float]] = []

    async def client(first: int) -> None:
        connection, number = Connection(server), first
        while time.perf_counter() - began < seconds:
            said.append(await connection.ask(requests[number % len(requests)]))
            number += 1
        connection.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    wall = time.perf_counter() - began
    p50, p95, p99 = np.percentile([took for _, took in said], (50, 95, 99)) * 1e3
    bad = sum(status != 200 for status, _ in said)
    return {
        "requests": len(said), "us": wall * 1e6, "bad": bad, "p50": p50, "p95": p95, "p99": p99,
    }  # fmt: skip


async def open_loop(
    server: Running, bodies: list[bytes], per_s: float, seconds: float
) -> tuple[list[tuple[int, float]], float]:
    """Send at a fixed rate, whatever is answered.

    Returns:
        Status and seconds of every request, and the seconds until the last answer. What cannot
        be sent for want of a connection has status 0.
    """
    requests = [spelt(server, body) for body in bodies]
    idle: list[Connection] = []
    said: list[tuple[int, float]] = []

    async def one(number: int) -> None:
        connection = idle.pop() if idle else Connection(server)
        try:
            said.append(await connection.ask(requests[number % len(requests)]))
        except (OSError, asyncio.IncompleteReadError):
            said.append((0, 0.0))
            connection.close()
        else:
            idle.append(connection)

    tasks = []
    began = time.perf_counter()
    for number in range(int(per_s * seconds)):
        await asyncio.sleep(max(0.0, began + number / per_s - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.wait(tasks, timeout=60)
    wall = time.perf_counter() - began
    for connection in idle:
        connection.close()
    return said, wall
