"""What a place has: its devices, the versions that matter, and what serves there."""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import platform
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitTimeoutError
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.domain.errors import PackageMissingError, PicselliaJupyterError
from picsellia_jupyter.domain.links import LinkError
from picsellia_jupyter.domain.places import Gpu, Inventory, Kind, Place, PlaceReport
from picsellia_jupyter.launch import leases
from picsellia_jupyter.launch.kernels import SPEC
from picsellia_jupyter.launch.places import Places

PATIENCE_S = 20.0
"""That a place gets to tell what it has."""
_PACKAGES = ("picsellia_jupyter", "torch", "onnxruntime", "tensorflow")
_QUERY = "name,memory.total,memory.free,utilization.gpu"
_CODE = (
    "import json as _json\n"
    "from picsellia_jupyter.launch import inventory as _inventory\n"
    "_said = _json.dumps(_inventory.to_json(_inventory.here()))\n"
)


def here() -> Inventory:
    """What this machine has."""
    return Inventory(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _cores(),
        gpus=_gpus(),
        versions={"python": platform.python_version(), **_versions()},
        serving=tuple(lease.title or "a model" for lease in leases.all()),
    )


def to_json(inventory: Inventory) -> dict[str, Any]:
    """As JSON."""
    return dataclasses.asdict(inventory)


def from_json(said: dict[str, Any]) -> Inventory:
    """Read what `to_json` wrote."""
    return Inventory(
        cores=int(said["cores"]),
        gpus=tuple(Gpu(**gpu) for gpu in said["gpus"]),
        versions=dict(said["versions"]),
        serving=tuple(said["serving"]),
    )


def of_all(places: Places, asked: list[Place]) -> tuple[PlaceReport, ...]:
    """What each place has; one that does not tell within 20 s does not hold up the others."""
    pool = ThreadPoolExecutor(max_workers=max(1, len(asked)), thread_name_prefix="places")
    told = [pool.submit(_report, places, place) for place in asked]
    reports = []
    deadline = time.monotonic() + PATIENCE_S
    for place, one in zip(asked, told, strict=True):
        try:
            reports.append(one.result(max(0.0, deadline - time.monotonic())))
        except WaitTimeoutError:
            trouble = f"It did not tell what it has within {PATIENCE_S:g} s."
            reports.append(PlaceReport(place, trouble=trouble))
    pool.shutdown(wait=False)
    return tuple(reports)


def _report(places: Places, place: Place) -> PlaceReport:
    try:
        if place.kind is Kind.LOCAL:
            return PlaceReport(place, here())
        # Several questions at once, from threads, are none that a user can answer.
        return PlaceReport(place, _of_server(places.client(place, asks=False)))
    except LinkError as error:
        # What may pass says that it is tried again, which it is not here.
        return PlaceReport(place, trouble=error.fact if error.trouble.may_pass else str(error))
    except PicselliaJupyterError as error:
        return PlaceReport(place, trouble=str(error))


def _of_server(client: JupyterClient) -> Inventory:
    """Ask a kernel there that lives no longer than the question."""
    specs = (SPEC, None) if SPEC in client.specs() else (None,)
    for spec in specs:
        kernel_id = client.start_kernel("Picsellia: what is there", spec)
        try:
            said = client.execute(kernel_id, _CODE, "_said", timeout_s=PATIENCE_S)
        except PackageMissingError:
            continue
        finally:
            client.delete_kernel(kernel_id)
        return from_json(json.loads(ast.literal_eval(said)))
    raise PackageMissingError(
        f"The kernels of {client.server.url} lack the package picsellia_jupyter.",
        "Install it there: %deploy MODEL --on PLACE --install",
    )


def _cores() -> int:
    return os.cpu_count() or 1


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _gpus() -> tuple[Gpu, ...]:
    """NVIDIA's cards, by the tool that comes with their driver; torch takes seconds to import."""
    command = ["nvidia-smi", f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ()
    return tuple(map(read_gpu, run.stdout.splitlines()))


def read_gpu(line: str) -> Gpu:
    """Read a line of `nvidia-smi`: name, MiB in all, MiB free, percent busy or `[N/A]`."""
    name, memory, free, busy = (part.strip() for part in line.rsplit(",", 3))
    utilization = int(busy) if busy.isdigit() else None
    return Gpu(name, int(float(memory)), int(float(free)), utilization)
