"""Finds what serving kernels left behind on this machine, and removes it.

A process is only ever ended if it is this user's, a lease or its own command says that it is
ours, and it began when that was found out: by its number alone another one could be meant.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from picsellia_jupyter.clients import processes
from picsellia_jupyter.domain.deployments import DeploymentRecord, ServingState
from picsellia_jupyter.domain.diagnosis import Diagnosis, Finding, RunningKernel
from picsellia_jupyter.launch import leases
from picsellia_jupyter.launch.leases import Lease

WORKER = "picsellia_jupyter.serving.worker"
FIX = "picsellia-jupyter doctor --fix"
PATIENCE_S = 10.0
"""A kernel that is told to end gets so long before it is killed."""
END_S = 2.0
"""A worker ends within this time of its kernel, and a killed process of the signal."""
OLD_LOG_S = 7 * 24 * 3600.0
"""A log is kept so long after its kernel is gone."""
_SILENT = "No heartbeat"
"""How the local platform begins to tell of a kernel that ended without a word."""


@dataclass(frozen=True, slots=True)
class Stray:
    """Something amiss, with what puts it right."""

    finding: Finding
    cure: Callable[[], bool] | None = None
    """Puts it right; whether it did. None where only its user can."""


@dataclass(frozen=True, slots=True)
class _Worker:
    """A process that runs our worker's module."""

    pid: int
    started: str
    parent: int
    told: int
    """The parent that it was started by."""


def diagnose(
    *, logs: Path | None = None, folder: Path | None = None, fix: bool = False
) -> Diagnosis:
    """Look at all serving kernels of this user on this machine.

    Args:
        logs: the folder of their logs.
        folder: of leases; Jupyter's runtime folder by default.
        fix: whether to put right what can be.
    """
    everything, workers = leases.everything(folder), _workers()
    running = [lease for lease in everything if lease.alive]
    strays = [
        *_dead(everything, folder),
        *_unowned(running, folder),
        *_unreadable(everything, folder),
        *_orphans(workers),
        *_old_logs(logs, running),
    ]
    findings = tuple(_cured(stray) if fix else stray.finding for stray in strays)
    shown = tuple(_shown(lease, workers) for lease in running if lease.alive)
    return Diagnosis(shown, findings)


def halted(
    records: Sequence[DeploymentRecord], kernels: Sequence[RunningKernel]
) -> tuple[Finding, ...]:
    """Deployments whose serving kernel fell silent and does not run on this machine.

    Args:
        records: of the platform.
        kernels: that run here.
    """
    running = {kernel.kernel_id for kernel in kernels}
    return tuple(
        Finding(
            f"The serving kernel of deployment {record.name!r} is gone: {record.reason}",
            record.line(),
        )
        for record in records
        if record.serving
        and record.serving.kernel_id not in running
        and record.state is ServingState.STOPPED
        # One that was told to end has said so.
        and record.reason.startswith(_SILENT)
    )


def _cured(stray: Stray) -> Finding:
    if stray.cure is None:
        return stray.finding
    try:
        return replace(stray.finding, fixed=stray.cure())
    except OSError as error:
        return replace(stray.finding, remedy=f"It could not be put right: {error}.")


def _shown(lease: Lease, workers: Sequence[_Worker]) -> RunningKernel:
    return RunningKernel(
        lease.kernel_id,
        lease.title,
        lease.deployment_id,
        lease.pid,
        lease.address,
        sum(worker.parent == lease.pid for worker in workers),
        lease.idle_s,
    )


def _dead(everything: Sequence[Lease], folder: Path | None) -> Iterator[Stray]:
    for lease in everything:
        if lease.alive:
            continue
        what = f"The serving kernel {lease.kernel_id} (process {lease.pid}) is gone without a word"
        if leases.is_stale(lease, folder):
            yield Stray(
                Finding(f"{what}; its lease is left.", FIX),
                partial(_remove, lease, folder),
            )
        else:
            remedy = "Look again in a few seconds; if it stays so, end it in the Running panel."
            yield Stray(Finding(f"{what}; Jupyter may be starting it anew.", remedy))


def _unowned(running: Sequence[Lease], folder: Path | None) -> Iterator[Stray]:
    for lease in running:
        if not lease.owned:
            yield Stray(
                Finding(
                    f"The serving kernel {lease.kernel_id} (process {lease.pid}) runs, but the "
                    "Jupyter server that started it is gone.",
                    FIX,
                ),
                partial(_end_kernel, lease, folder),
            )


def _unreadable(everything: Sequence[Lease], folder: Path | None) -> Iterator[Stray]:
    readable = {leases.path_of(lease.kernel_id, folder) for lease in everything}
    for path in leases.files(folder):
        if path not in readable and _is_ours(path):
            finding = Finding(f"{path} is no lease that can be believed.", FIX)
            yield Stray(finding, partial(_unlink, path))


def _orphans(workers: Sequence[_Worker]) -> Iterator[Stray]:
    for worker in workers:
        # One whose kernel ended just now is about to end by itself.
        if worker.parent != worker.told and not _ends(worker.pid, worker.started):
            yield Stray(
                Finding(
                    f"The model worker in process {worker.pid} runs, but its kernel "
                    f"(process {worker.told}) is gone.",
                    FIX,
                ),
                partial(_kill, worker.pid, worker.started),
            )


def _old_logs(logs: Path | None, running: Sequence[Lease]) -> Iterator[Stray]:
    if logs is None:
        return
    alive, now = {lease.kernel_id for lease in running}, time.time()
    old = [
        path
        for path in logs.glob("*.log")
        if path.stem not in alive and _is_ours(path) and now - path.lstat().st_mtime > OLD_LOG_S
    ]
    if old:
        finding = Finding(f"{len(old)} old logs of kernels that are gone lie in {logs}.", FIX)
        yield Stray(finding, partial(_unlink, *old))


def _remove(lease: Lease, folder: Path | None) -> bool:
    leases.remove(lease, folder)
    return not leases.path_of(lease.kernel_id, folder).exists()


def _unlink(*paths: Path) -> bool:
    for path in paths:
        path.unlink(missing_ok=True)
    return True


def _end_kernel(lease: Lease, folder: Path | None) -> bool:
    """Have a kernel record what it has and end; kill it if it does not."""
    if not _signal(lease.pid, lease.started, signal.SIGTERM):
        return True
    ended = _ends(lease.pid, lease.started, PATIENCE_S) or _kill(lease.pid, lease.started)
    leases.remove(lease, folder)
    return ended


def _kill(pid: int, started: str) -> bool:
    """Kill a process and wait until it is gone; whether it is."""
    _signal(pid, started, signal.SIGKILL)
    return _ends(pid, started)


def _ends(pid: int, started: str, within_s: float = END_S) -> bool:
    """Wait until a process is gone; whether it is."""
    deadline = time.monotonic() + within_s
    while processes.runs(pid, started) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not processes.runs(pid, started)


def _signal(pid: int, started: str, number: int) -> bool:
    """Send a signal to the process that began then, if it runs; whether it did."""
    if not processes.runs(pid, started):
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    return True


def _workers() -> tuple[_Worker, ...]:
    """All processes of this user that run our worker's module."""
    import psutil

    mine, found = psutil.Process().username(), []
    for process in psutil.process_iter():
        try:
            if process.username() != mine:
                continue
            line, started = process.cmdline(), processes.started(process.pid)
            told = _told_parent(line)
            if started and told is not None:
                found.append(_Worker(process.pid, started, process.ppid(), told))
        except psutil.Error:  # ended meanwhile
            continue
    return tuple(found)


def _told_parent(line: Sequence[str]) -> int | None:
    """The process that started a worker, as its command says; None for any other command."""
    if list(line[1:3]) != ["-m", WORKER]:
        return None
    said = next((word for word in line if word.startswith("--parent=")), "--parent=")
    number = said.partition("=")[2]
    return int(number) if number.isdigit() else None


def _is_ours(path: Path) -> bool:
    try:
        return not hasattr(os, "getuid") or path.lstat().st_uid == os.getuid()
    except OSError:  # removed meanwhile
        return False
