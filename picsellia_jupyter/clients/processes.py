"""Which process a number means: a process id is used again, with its start time it is not."""

from __future__ import annotations

import sys
from pathlib import Path


def started(pid: int) -> str | None:
    """When a process began, as the system tells it; None if it is gone, also as a zombie.

    The text can only be compared. It is good across restarts of the machine, where process
    ids and the ticks since the start of the machine may both come again.
    """
    return _started_linux(pid) if sys.platform == "linux" else _started_elsewhere(pid)


def runs(pid: int, since: str) -> bool:
    """Whether the process with this id that began then still runs."""
    return bool(since) and started(pid) == since


def _started_linux(pid: int) -> str | None:
    try:
        # The name in the second field may hold anything, also blanks and brackets.
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        state, *fields = stat.rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None
    return None if state in ("Z", "X") else f"{boot}/{fields[18]}"


def _started_elsewhere(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        ended = process.status() == psutil.STATUS_ZOMBIE
        return None if ended else f"{process.create_time():.2f}"
    except psutil.Error:
        return None
