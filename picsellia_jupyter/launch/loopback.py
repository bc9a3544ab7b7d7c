"""Whether two processes have the same loopback addresses."""

from __future__ import annotations

import contextlib
import ipaddress
import platform
import uuid
from pathlib import Path
from urllib.parse import urlsplit


def is_loopback(address: str) -> bool:
    """Whether an http address leads to the machine of who asks it."""
    host = urlsplit(address).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def identity() -> str:
    """Names the loopback network of this process; containers of one machine have their own."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/net').readlink()}"
    except OSError:
        return f"{platform.node()} {uuid.getnode()}"
