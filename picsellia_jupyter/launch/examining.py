"""Goes through a machine for a bug report; everything that it tells is without secrets."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from picsellia_jupyter.domain.diagnosis import BugReport, Diagnosis, Fact
from picsellia_jupyter.domain.places import PlaceReport
from picsellia_jupyter.domain.redaction import Redaction, secrets_in
from picsellia_jupyter.domain.spools import SpoolDepth
from picsellia_jupyter.launch import installed, inventory, local_platform, traps
from picsellia_jupyter.launch.loopback import is_loopback
from picsellia_jupyter.recording import shelf

LEAST_FREE = 2**30
"""Bytes of disk below which models and predictions may not find room."""
PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Examined:
    """What is gone through."""

    home: Path
    """The data directory."""
    spools: Path
    environment: Mapping[str, str] = field(repr=False)
    user_home: Path
    """The user's home directory, which is not told."""
    host: str | None = None
    """The platform's address; None is the local one."""
    token: str | None = field(default=None, repr=False)


def examine(
    what: Examined, diagnosis: Diagnosis, places: Sequence[PlaceReport | Fact]
) -> BugReport:
    """Everything in one report.

    Args:
        what: is gone through.
        diagnosis: of the serving kernels.
        places: what each has, or why that is not known.
    """
    local = local_platform.find(what.home)
    hosts = traps.host_of(what.host)
    facts = (
        *installed.versions(),
        *installed.extension(),
        *_platform(what, local),
        *(_place(one) for one in places),
        _devices(),
        *_spool(what.spools),
        _disk(what.home),
        *_kernels(diagnosis),
        *_ports(diagnosis),
        *traps.proxies(what.environment),
        *traps.netrc_files(what.environment, what.user_home, hosts),
        *traps.certificates(what.environment),
        *_variables(what.environment),
    )
    clean = redaction(what, [local.token] if local else [])
    return BugReport(
        tuple(
            Fact(fact.part, clean(fact.name), clean(fact.value), clean(fact.remedy))
            for fact in facts
        )
    )


def redaction(what: Examined, secrets: Sequence[str] = ()) -> Redaction:
    """Removes what of the environment nobody else may read.

    Args:
        what: is gone through.
        secrets: that are known besides.
    """
    known = {*secrets, what.token or "", *secrets_in(what.environment)}
    known |= traps.netrc_secrets(what.environment, what.user_home)
    if what.host:
        known |= secrets_in({"address": what.host})
    return Redaction(known, {str(what.user_home), str(what.user_home.resolve())})


def _platform(what: Examined, local: local_platform.RunningPlatform | None) -> Iterator[Fact]:
    yield Fact("Platform", "data directory", str(what.home))
    if what.host is not None:
        yield _answer_of(what.host, what.token)
    elif local is not None:
        yield Fact("Platform", "local", f"answers at {local.host} (process {local.pid})")
    else:
        yield Fact("Platform", "local", "does not run; it is started when it is asked")


def _answer_of(host: str, token: str | None) -> Fact:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        reply = httpx.get(
            f"{host}/api/home/ping",
            headers=headers,
            timeout=PATIENCE_S,
            trust_env=not is_loopback(host),
        )
    # A token may hold what no header can.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        remedy = "Check PICSELLIA_HOST, the network and the proxies below."
        return Fact("Platform", host, f"does not answer: {type(error).__name__}", remedy)
    if reply.is_success:
        return Fact("Platform", host, "answers and accepts the token")
    known = "the token is not accepted" if token else "no token is set"
    remedy = "Set PICSELLIA_TOKEN (Profile → Token on the platform), or: %picsellia connect"
    if reply.status_code not in (401, 403):
        known, remedy = "it is no Picsellia, or has a fault", "Check PICSELLIA_HOST."
    return Fact("Platform", host, f"answers HTTP {reply.status_code}: {known}", remedy)


def _place(one: PlaceReport | Fact) -> Fact:
    if isinstance(one, Fact):
        return one
    if one.inventory is None:
        return Fact("Places", one.place.name, "not reached", one.trouble)
    told = ", ".join(f"{name} {number}" for name, number in one.inventory.versions.items())
    return Fact("Places", one.place.name, f"{one.inventory.devices()} {told}")


def _devices() -> Fact:
    here, torch = inventory.here(), installed.version_of("torch")
    blind = bool(here.gpus) and torch.endswith("+cpu")
    remedy = f"torch {torch} cannot use it; install one that was built with CUDA: pytorch.org"
    return Fact("GPU", "devices", here.devices(), remedy if blind else "")


def _spool(folder: Path) -> Iterator[Fact]:
    try:
        found = shelf.depths(folder)
    except (OSError, sqlite3.Error) as error:
        remedy = f"Move {folder} away and keep it: it may hold predictions."
        yield Fact("Spool", "folder", f"cannot be read: {type(error).__name__}", remedy)
        return
    if not found:
        yield Fact("Spool", "waiting", "nothing")
    for one in found:
        yield Fact("Spool", one.deployment_id, _depth(one), _spool_remedy(one))
    for path in sorted(folder.rglob("*.damaged")):
        remedy = f"sqlite3 {path} .recover shows what can still be read of it."
        yield Fact("Spool", "damaged", f"{path}, {path.stat().st_size} bytes", remedy)


def _depth(one: SpoolDepth) -> str:
    return (
        f"{one.waiting} to be recorded, {len(one.refused)} set aside, {one.size} bytes, "
        f"{one.in_use} in use"
    )


def _spool_remedy(one: SpoolDepth) -> str:
    if one.refused:
        return "picsellia-jupyter spool list; then spool retry, or spool drop"
    return "They are recorded when its kernel runs again." if one.waiting else ""


def _disk(home: Path) -> Fact:
    there = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(there).free
    remedy = f"Make room on the disk of {home}." if free < LEAST_FREE else ""
    return Fact("Spool", "free disk", f"{free / 2**30:.1f} GiB", remedy)


def _kernels(diagnosis: Diagnosis) -> Iterator[Fact]:
    yield Fact("Serving kernels", "running", str(len(diagnosis.kernels)))
    for finding in diagnosis.findings:
        yield Fact(
            "Serving kernels",
            "left behind",
            f"{finding.what} Put right." if finding.fixed else finding.what,
            "" if finding.fixed else finding.remedy,
        )


def _ports(diagnosis: Diagnosis) -> Iterator[Fact]:
    yield _loopback()
    yield _localhost()
    for kernel in diagnosis.kernels:
        port = int(kernel.address.rpartition(":")[2] or 0)
        answers = bool(port) and _accepts(port)
        remedy = "" if answers else "Restart its kernel in the Running panel, or %undeploy it."
        said = "taken by its kernel" if answers else "nobody answers"
        yield Fact("Ports", str(port), f"{said} (process {kernel.pid})", remedy)


def _loopback() -> Fact:
    try:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            listening.listen()
            with socket.create_connection(listening.getsockname(), timeout=PATIENCE_S):
                return Fact("Ports", "127.0.0.1", "can be listened on and connected to")
    except OSError as error:
        remedy = "Allow programs to listen on 127.0.0.1 (sandbox or firewall)."
        return Fact("Ports", "127.0.0.1", f"cannot be used: {error.strerror}", remedy)


def _localhost() -> Fact:
    try:
        found = sorted({str(one[4][0]) for one in socket.getaddrinfo("localhost", None)})
    except OSError:
        found = []
    right = bool(found) and all(is_loopback(f"http://{_bracketed(one)}") for one in found)
    remedy = "" if right else "Add the line `127.0.0.1 localhost` to the file of hosts."
    return Fact("Ports", "localhost", ", ".join(found) or "is no known name", remedy)


def _bracketed(number: str) -> str:
    return f"[{number}]" if ":" in number else number


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S):
            return True
    except OSError:
        return False


def _variables(environment: Mapping[str, str]) -> Iterator[Fact]:
    """By name alone."""
    names = sorted(name for name in environment if name.startswith(("PICSELLIA_", "JUPYTERHUB_")))
    yield Fact("Environment", "set", ", ".join(names) or "none of ours")
