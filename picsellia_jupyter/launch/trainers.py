"""Has a kernel of a Jupyter server do a training run."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from typing import Protocol

from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.domain.errors import (
    InvalidInputError,
    PackageMissingError,
    PicselliaJupyterError,
    PlatformUnreachableError,
)
from picsellia_jupyter.domain.places import Kind, Place
from picsellia_jupyter.domain.training import TrainingRun
from picsellia_jupyter.launch import loopback, versions
from picsellia_jupyter.launch.kernels import SPEC, ServerKernel
from picsellia_jupyter.launch.places import Places
from picsellia_jupyter.wire.predictions import Json

TIMEOUT_S = 60.0
TITLE = "Picsellia: training"
_INSTALL = "Install it there: pip install 'picsellia_jupyter[training,serving]=={version}'"
_HERE = "Train beside the platform, without --on, or connect to a platform that {place} reaches."


class Serves(Protocol):
    """The platform, as far as a runner must be told of it."""

    host: str
    token: str
    organization_name: str

    def cancel_training(self, run_id: str) -> TrainingRun:
        """Ask for the end of a run."""


class Trainers:
    """The kernels that train for this session, each until its run is over."""

    def __init__(self, places: Places) -> None:
        """Start nothing yet.

        Args:
            places: knows the servers elsewhere.
        """
        self._places = places
        self._kernels: dict[str, ServerKernel] = {}

    def start(self, platform: Serves, on: str, begin: Callable[[str], TrainingRun]) -> TrainingRun:
        """Have a run done at a place; where that cannot be, there is none.

        Args:
            platform: that the run is of.
            on: the place, as it is typed.
            begin: makes the run of a place of this name.

        Raises:
            InvalidInputError: no kernel trains there.
            LinkError: the place's server does not answer or does not let us in.
            PackageMissingError: its kernels lack what training needs.
            PlatformUnreachableError: its kernels do not reach the platform.
        """
        place = self._places.parse(on)
        if place.kind is Kind.LOCAL:
            return begin("")
        if place.kind is not Kind.SERVER:
            raise InvalidInputError(
                f"Training is done in a kernel of a Jupyter server; {place.name!r} is none.",
                "Name a place of %places, or an address: --on https://HOST:PORT",
            )
        kernel = self._ready(self._places.client(place), platform, place)
        try:
            run = begin(place.name)
        except BaseException:
            kernel.end()
            raise
        self._hand_over(kernel, platform, run)
        self._kernels[run.id] = kernel
        return run

    def leave(self, run_id: str) -> None:
        """End the kernel of a run that is over, should it still be there.

        It has itself deleted where its server lets it; a server starts one that was killed anew.
        """
        kernel = self._kernels.pop(run_id, None)
        if kernel is None:
            return
        try:
            kernel.end()
        except PicselliaJupyterError:
            # Its server is gone; whoever looks at the run is not to fail for that.
            return

    def _ready(self, client: JupyterClient, platform: Serves, place: Place) -> ServerKernel:
        """A kernel that can train: of our kernelspec if it is there, else of the server's own."""
        try:
            return self._started(client, platform, place, SPEC if SPEC in client.specs() else None)
        except PackageMissingError:
            if SPEC not in client.specs():
                raise
        return self._started(client, platform, place, None)

    def _started(
        self, client: JupyterClient, platform: Serves, place: Place, spec: str | None
    ) -> ServerKernel:
        kernel = ServerKernel(client, client.start_kernel(TITLE, spec))
        try:
            _check(_asked(kernel, platform, place), platform, place)
        except BaseException:
            kernel.end()
            raise
        return kernel

    def _hand_over(self, kernel: ServerKernel, platform: Serves, run: TrainingRun) -> None:
        try:
            _told(kernel, _starting(platform, run, kernel.kernel_id))
        except BaseException:
            try:
                platform.cancel_training(run.id)
            finally:
                kernel.end()
            raise


def _told(kernel: ServerKernel, code: str) -> Json:
    reply = kernel.execute(versions.guarded(code), "_picsellia_json", timeout_s=TIMEOUT_S)
    said: Json = json.loads(ast.literal_eval(reply))
    return said


def _asked(kernel: ServerKernel, platform: Serves, place: Place) -> Json:
    try:
        return _told(kernel, _checking(platform))
    except PackageMissingError as error:
        raise _missing(place, error.fact.partition(": ")[2]) from None


def _check(said: Json, platform: Serves, place: Place) -> None:
    """Refuse a kernel that cannot train, by what it said."""
    if "other_version" in said:
        other = f"picsellia_jupyter {said['other_version']}, this notebook has {versions.own()}"
        raise PackageMissingError(f"The kernels at {place.name} have {other}.", _install())
    if "missing" in said:
        raise _missing(place, str(said["missing"]))
    if said.get("is_apart"):
        raise PlatformUnreachableError(
            f"The platform at {platform.host} is reached from its own machine alone, and the "
            f"kernels at {place.name} run on another one.",
            _HERE.format(place=place.name),
        )
    if "unreachable" in said:
        raise PlatformUnreachableError(
            f"The kernels at {place.name} do not reach the platform: {said['unreachable']}",
            _HERE.format(place=place.name),
        )


def _missing(place: Place, what: str) -> PackageMissingError:
    return PackageMissingError(
        f"The kernels at {place.name} lack what training needs: {what}", _install()
    )


def _install() -> str:
    return _INSTALL.format(version=versions.own())


# Tokens travel in these messages: never in argv, environment or names.


def _checking(platform: Serves) -> str:
    """What a new kernel is asked before there is a run."""
    return (
        f"_job = _json.loads({json.dumps(_job(platform))!r})\n"
        "from picsellia_jupyter.launch import loopback as _loopback\n"
        "from picsellia_jupyter.training import elsewhere as _elsewhere\n"
        f"_apart = {loopback.is_loopback(platform.host)}"
        f" and _loopback.identity() != {loopback.identity()!r}\n"
        "_said = {'is_apart': True} if _apart else _elsewhere.trouble(_job)\n"
        "_picsellia_json = _json.dumps(_said)\n"
        "del _job\n"
    )


def _starting(platform: Serves, run: TrainingRun, kernel_id: str) -> str:
    job = {**_job(platform), "run": run.id, "kernel_id": kernel_id}
    return (
        "from picsellia_jupyter.training import elsewhere as _elsewhere\n"
        f"_elsewhere.start(_json.loads({json.dumps(job)!r}))\n"
        "_picsellia_json = '{}'\n"
    )


def _job(platform: Serves) -> dict[str, str]:
    return {
        "host": platform.host,
        "token": platform.token,
        "organization": platform.organization_name,
    }
