"""What a model worker may do, made final before it runs anything that others wrote."""

from __future__ import annotations

import os
import platform
import site
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from picsellia_jupyter.serving import landlock, linked, syscalls
from picsellia_jupyter.serving.landlock import Paths

Kind = Literal["full", "process"]


@dataclass(frozen=True, slots=True)
class Support:
    """How far a worker can be confined on this machine."""

    kind: Kind
    why: str = ""
    """What is missing for more, in a sentence."""


_LIBRARIES = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/timezone", "/nix/store",
)  # fmt: skip
# Of /proc no more than this: elsewhere in it lies the environment of the front, with its token.
_MACHINE = (
    "/proc/self", "/proc/cpuinfo", "/proc/meminfo", "/proc/sys/vm/overcommit_memory",
    "/sys/devices/system/cpu", "/sys/devices/system/node", "/sys/kernel/mm/transparent_hugepage",
    "/dev/urandom", "/dev/random", "/dev/zero",
)  # fmt: skip
_CUDA_READ = (
    "/proc/driver/nvidia", "/proc/devices", "/proc/modules", "/proc/version",
    "/proc/sys/vm/mmap_min_addr", "/sys/bus/pci", "/sys/devices", "/sys/module/nvidia",
    "/sys/module/nvidia_uvm", "/usr/local/cuda", "/usr/local/nvidia",
    "/usr/share/nvidia", "/etc/OpenCL", "/opt/nvidia",
)  # fmt: skip


def support() -> Support:
    """Whether Landlock and seccomp are to be had here."""
    if platform.system() != "Linux":
        return Support("process", f"{platform.system()} has no Landlock.")
    if not landlock.version():
        return Support("process", "This kernel has no Landlock, or does not let it be used.")
    if not syscalls.available():
        return Support("process", "This kernel does not filter system calls, or not here.")
    return Support("full")


def confine(paths: Paths, *, cards: bool = False) -> None:
    """Hold this process to these paths, without network, programs and other processes.

    It must have one thread only: Landlock holds a thread and what that starts.

    Args:
        paths: what it opens.
        cards: whether it may do what NVIDIA's driver needs.

    Raises:
        OSError: the kernel refuses.
    """
    import resource  # there is none on Windows

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    landlock.restrict(paths)
    syscalls.restrict(cards=cards)


def rules(device: str, reads: Sequence[Path], scratch: Path) -> Paths:
    """What a worker opens.

    Args:
        device: `cpu` keeps it from graphics cards; with any other it may use those of NVIDIA.
        reads: the model's own files.
        scratch: its private temporary folder.
    """
    # Compilers are out of reach on either: a model that needs one at run time is not served.
    cuda = [Path(path) for path in _CUDA_READ] if has_cards(device) else []
    return Paths(
        read=(*_python(), *map(Path, (*_LIBRARIES, *_MACHINE)), *cuda, *reads),
        use=(Path("/dev/null"), *(_cards() if has_cards(device) else ())),
        # The driver names its threads there, and does not start where it cannot.
        write=(scratch, *((Path("/proc/self/task"),) if has_cards(device) else ())),
    )


def has_cards(device: str) -> bool:
    """Whether a worker for this device may use graphics cards, and there are any."""
    return device != "cpu" and bool(_cards())


def _cards() -> list[Path]:
    return [*Path("/dev").glob("nvidia*")]


def _python() -> Iterable[Path]:
    """This installation, but no folder that holds a home among other things."""
    package = Path(__file__).parents[1]
    prefixes = (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    wanted = [Path(path) for path in (*sys.path, *prefixes, site.getuserbase()) if path]
    import pwd

    # Its variable names the worker's own folder by now.
    home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    wanted += linked.targets(path for path in wanted if not home.is_relative_to(path))
    return [package, *(path for path in wanted if not home.is_relative_to(path))]
