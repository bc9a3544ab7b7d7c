"""`python -m benchmarks.places.load URL CLIENTS N`, headers as JSON on its input: the clients.

A process of its own, and no HTTP library: either would take part of what is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import numpy as np

from benchmarks.places.servers import REPOSITORY

BODY_BYTES = 80_000


@dataclass(frozen=True, slots=True)
class Seen:
    """How requests went."""

    p50_ms: float
    p99_ms: float
    per_s: float


def measure(url: str, headers: dict[str, str], clients: int, n: int) -> Seen:
    """Send `n` requests through so many clients that each wait for one answer."""
    command = [sys.executable, "-m", "benchmarks.places.load", url, str(clients), str(n)]
    done = subprocess.run(
        command, input=json.dumps(headers), capture_output=True, text=True, check=True,
        cwd=REPOSITORY,
    )  # fmt: skip
    return Seen(*json.loads(done.stdout))


def request(url: str, headers: dict[str, str]) -> bytes:
    """An HTTP request with a body of 80 kB."""
    parts = urlsplit(url)
    lines = [f"POST {parts.path or '/'} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += ["Content-Type: image/jpeg", f"Content-Length: {BODY_BYTES}", "", ""]
    return "\r\n".join(lines).encode() + os.urandom(BODY_BYTES)


async def _send(url: str, content: bytes, n: int) -> list[float]:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    took = []
    for _ in range(n):
        begun = time.perf_counter()
        writer.write(content)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200"):
            raise RuntimeError(f"{url} answered {head.decode()}")
        await reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
        took.append(time.perf_counter() - begun)
    writer.close()
    return took


async def _send_all(url: str, content: bytes, clients: int, n: int) -> list[float]:
    await _send(url, content, 3)
    begun = time.perf_counter()
    shares = await asyncio.gather(*(_send(url, content, n // clients) for _ in range(clients)))
    took = [one for share in shares for one in share]
    p50, p99 = np.percentile(took, (50, 99)) * 1e3
    return [float(p50), float(p99), len(took) / (time.perf_counter() - begun)]


if __name__ == "__main__":
    address, count, each = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    asked = request(address, json.loads(sys.stdin.read()))
    print(json.dumps(asyncio.run(_send_all(address, asked, count, each))))
