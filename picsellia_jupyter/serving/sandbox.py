"""How a model worker is started: confined, in its own session, without secrets."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import site
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from picsellia_jupyter.serving import confinement

_PREFIX = "picsellia-worker-"
_KEPT = (
    "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SYSTEMROOT",
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
    # torch asks for the user's name, and would look it up among the accounts of the machine.
    "LOGNAME": "worker",
    "USER": "worker",
    # TensorFlow greets with the processor's features, where a failure's last lines are wanted.
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONSAFEPATH": "1",
    "PYTHONIOENCODING": "utf-8",
}


def environment(scratch: Path, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """What of an environment a worker gets: an allow-list, so no token passes.

    Args:
        scratch: its private folder, its home and the place of its temporary files.
        given: the environment to choose from; this process's own by default.
    """
    source = os.environ if given is None else given  # noqa: TID251 - a child must find its PATH
    own = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP"), str(scratch))
    # Where the user's own packages lie follows from the home, which is another one now.
    packages = {"PYTHONUSERBASE": site.getuserbase()}
    kept = {name: source[name] for name in _KEPT if name in source}
    return packages | kept | own | dict(_SET)


def spawn(
    channel: socket.socket,
    pulse: socket.socket,
    module: str,
    *,
    reads: Sequence[Path] = (),
    device: str = "auto",
) -> subprocess.Popen[bytes]:
    """Start a worker, confined as far as `confinement.support` says; else it ends at once.

    Args:
        channel: what it talks over.
        pulse: what it shows over that it still moves.
        module: what it runs.
        reads: the model's own files.
        device: `cpu` keeps it from graphics cards.

    Its standard input stays open until it is to end; its other streams are read as its log.
    """
    scratch = _scratch()
    command = [
        sys.executable,
        "-m",
        module,
        f"--channel={channel.fileno()}",
        f"--pulse={pulse.fileno()}",
        f"--parent={os.getpid()}",
        f"--sandbox={confinement.support().kind}",
        f"--device={device}",
        f"--scratch={scratch}",
        *(f"--reads={path}" for path in reads),
    ]
    try:
        process = _started(command, (channel.fileno(), pulse.fileno()), scratch)
    except OSError:
        shutil.rmtree(scratch, ignore_errors=True)
        raise
    threading.Thread(target=_clean_up, args=(process, scratch), daemon=True).start()
    return process


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `spawn` tells a worker of its confinement."""
    parser.add_argument("--sandbox", required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    parser.add_argument("--reads", type=Path, action="append", default=[])


def enter(arguments: argparse.Namespace) -> None:
    """Confine this process as it was told, or end it; before any thread, and any model."""
    if arguments.sandbox != "full":
        return
    try:
        confinement.confine(
            confinement.rules(arguments.device, arguments.reads, arguments.scratch),
            cards=confinement.has_cards(arguments.device),
        )
    except OSError as error:
        sys.exit(f"The model worker cannot be confined and ended: {error}.")


def _started(
    command: list[str], inherited: tuple[int, ...], scratch: Path
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own module, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=inherited,
        env=environment(scratch),
        # Python looks for modules in the working directory; a model's folder is no place for it.
        cwd=Path(sys.executable).anchor,
        # In the kernel's own process group, interrupting a cell would kill the worker.
        start_new_session=True,
    )


def _scratch() -> Path:
    """A folder that its user alone can open; those of front processes that died are removed."""
    for old in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = re.match(rf"{_PREFIX}(\d+)-", old.name)
        if owner and not _lives(int(owner[1])):
            shutil.rmtree(old, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-")).resolve()


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def _clean_up(process: subprocess.Popen[bytes], scratch: Path) -> None:
    process.wait()
    shutil.rmtree(scratch, ignore_errors=True)
