"""How a model worker is started: its own session, and an environment without secrets."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

KIND = "process"
"""How far the worker is confined, as a dry run reports it."""

_KEPT = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "SYSTEMROOT",
    "PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
    "CUDA_HOME", "CUDA_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER",
    "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES",
)  # fmt: skip

_SET: Mapping[str, str] = {
    # More threads on a shared machine cost two to seventeen times the speed.
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # Photos and tensors come and go by the megabyte. Given back to the system each time, their
    # pages have to be zeroed anew: a third of the time of a small model.
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20),
    # torch.export.load would else fall back to unpickling whatever a file holds.
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONSAFEPATH": "1",
    "PYTHONIOENCODING": "utf-8",
}


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """What of an environment a worker gets: an allow-list, so no token passes.

    Args:
        given: the environment to choose from; this process's own by default.
    """
    source = os.environ if given is None else given  # noqa: TID251 - a child must find its PATH
    return {name: source[name] for name in _KEPT if name in source} | dict(_SET)


def spawn(channel: socket.socket, pulse: socket.socket, module: str) -> subprocess.Popen[bytes]:
    """Start a worker.

    Args:
        channel: what it talks over.
        pulse: what it shows over that it still moves.
        module: what it runs.

    Its standard input stays open until it is to end; its other streams are read as its log.
    """
    command = [
        sys.executable,
        "-m",
        module,
        f"--channel={channel.fileno()}",
        f"--pulse={pulse.fileno()}",
        f"--parent={os.getpid()}",
    ]
    return subprocess.Popen(  # noqa: S603 - our own module, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=(channel.fileno(), pulse.fileno()),
        env=environment(),
        # Python looks for modules in the working directory; a model's folder is no place for it.
        cwd=Path(sys.executable).anchor,
        # In the kernel's own process group, interrupting a cell would kill the worker.
        start_new_session=True,
    )
