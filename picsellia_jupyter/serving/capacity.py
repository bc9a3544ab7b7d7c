"""How many workers pay on this machine."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.signature import LoadedModel

MOST = 4
"""Workers on the CPU, however many cores there are."""
_UNKNOWN = 2
"""Workers on the CPU where a system does not tell how much memory is free."""
_MEMORY_SHARE = 0.5
"""Of the memory that is free, for workers beside the first."""


def others(
    request: LoadRequest, model: LoadedModel, first: int, wanted: int | None = None
) -> list[LoadRequest]:
    """What the workers beside the first one are to load.

    On the CPU there is one worker a core, as far as memory allows, and at most four; with CUDA
    there is one a device, or one where the request names a device. More than one a device pay
    where a worker's own processor time is the limit; each takes the card's memory anew.

    Args:
        request: what the first worker has loaded.
        model: what it said of the model.
        first: its process id.
        wanted: how many workers there are to be, the first one included; as many as pay where
            it is None.
    """
    if model.device == "cpu":
        count = min(cores(), MOST, 1 + _room_for(_resident(first))) if wanted is None else wanted
        return [request] * (count - 1)
    return _on_devices(request, model, wanted)


def _on_devices(request: LoadRequest, model: LoadedModel, wanted: int | None) -> list[LoadRequest]:
    """In turns on all devices, or on the one that is named."""
    named = request.device not in ("auto", "cuda")
    there = [] if named else [f"cuda:{number}" for number in range(len(_gpus()))]
    devices = [model.device, *(one for one in there if one != model.device)]
    count = len(devices) if wanted is None else wanted
    turns = (devices[number % len(devices)] for number in range(1, count))
    return [dataclasses.replace(request, device=device) for device in turns]


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _room_for(each: int) -> int:
    """How many more workers of so many bytes fit."""
    free = _free_memory()
    if free is None or not each:
        return _UNKNOWN - 1
    return int(_MEMORY_SHARE * free / each)


def _resident(pid: int) -> int:
    """Bytes of memory that a process has for itself; 0 where that is not known."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()
        return (int(pages[1]) - int(pages[2])) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _free_memory(root: Path = Path("/")) -> int | None:
    """Bytes that are free, on this machine and in this container."""
    try:
        lines = (root / "proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    free = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
    return min([*free, *_container(root)], default=None)


def _container(root: Path) -> list[int]:
    groups = (
        ("sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory.current"),
        (
            "sys/fs/cgroup/memory/memory.limit_in_bytes",
            "sys/fs/cgroup/memory/memory.usage_in_bytes",
        ),
    )
    free = []
    for limit, used in groups:
        try:
            free.append(int((root / limit).read_text()) - int((root / used).read_text()))
        except (OSError, ValueError):  # not a container's, or "max"
            continue
    return free


def _gpus(root: Path = Path("/")) -> list[str]:
    """NVIDIA devices that a worker would see."""
    try:
        found = sorted(path.name for path in (root / "proc/driver/nvidia/gpus").iterdir())
    except OSError:
        return []
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")  # noqa: TID251 - CUDA's own
    return found if shown is None else [one for one in shown.split(",") if one.strip()]
