"""What a runner of training asks of the platform."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from typing_extensions import Self

from picsellia_jupyter.clients import sdk
from picsellia_jupyter.clients.connection import SdkConnection
from picsellia_jupyter.clients.downloads import Stored, fetch
from picsellia_jupyter.domain.errors import NotFoundError
from picsellia_jupyter.domain.training import NOTEBOOK
from picsellia_jupyter.wire.predictions import Json


@dataclass(frozen=True, slots=True)
class Job:
    """What a runner is to do."""

    is_running: bool
    """False where there is nothing to be done, and `error` says why."""
    error: str
    experiment_id: str
    base_version_id: str
    parameters: Mapping[str, Any]
    notebook: str
    """Path of the notebook where the version has none; may be empty."""
    memory_gb: float | None
    cpu_s: float | None
    wall_s: float


@dataclass(frozen=True, slots=True)
class HeldOutImages:
    """What two versions are to predict on."""

    dataset: str
    said: str
    images: Sequence[Json] = field(default=())
    """Each with `asset_id`, `filename` and `url`."""


class RunnerClient(SdkConnection):
    """One run, as its runner has it. Not thread-safe: one thread, one client."""

    def __init__(
        self, sdk_client: Any, host: str, token: str, ping: Mapping[str, Any], run: str, name: str
    ) -> None:
        super().__init__(sdk_client, host, ping)
        self.token, self._run, self._name = token, run, name
        self._experiment: Any = None

    @classmethod
    @sdk.translated
    def connect(cls, host: str, token: str, organization: str, *, run: str, name: str) -> Self:
        """Connect to a platform for one run.

        Args:
            host: of the platform.
            token: for it.
            organization: name of the organization.
            run: id of the training run.
            name: of the runner, its alone.
        """
        client, ping = sdk.connect(host, token, organization_id=None, organization=organization)
        return cls(client, host, token, ping, run, name)

    @sdk.translated
    def claim(self) -> Job:
        """Take the run up.

        Raises:
            ConflictError: another runner has it, or it is over.
        """
        told = self._tell("claim")
        return Job(
            is_running=told["state"] == "RUNNING",
            error=str(told["error"]),
            experiment_id=str(told["experiment_id"] or ""),
            base_version_id=str(told["base_version_id"]),
            parameters=told["parameters"],
            notebook=str(told["notebook"]),
            memory_gb=told["memory_gb"],
            cpu_s=told["cpu_s"],
            wall_s=float(told["wall_s"]),
        )

    @sdk.translated
    def beat(self, progress: float, step: str, tick: int) -> bool:
        """Say that the runner lives; whether it is to end.

        Args:
            progress: 0 to 1.
            step: what it does, in a few words.
            tick: counts these from one; MPU are settled once for each.

        Raises:
            ConflictError: the run is not its any more.
        """
        return bool(self._tell("beat", progress=progress, step=step, tick=tick)["is_cancelled"])

    @sdk.translated
    def export(self) -> str:
        """Make the next model version of what was trained; its id."""
        return str(self._tell("export")["version_id"])

    @sdk.translated
    def held_out(self) -> HeldOutImages:
        """What the new version is to be compared on."""
        told = self._tell("held-out/images")
        return HeldOutImages(str(told["dataset"]), str(told["said"]), told["images"])

    @sdk.translated
    def compare(self, champion: Json, challenger: Json) -> Json:
        """Have two versions compared by what they found."""
        return self._tell("held-out", champion=champion, challenger=challenger)

    @sdk.translated
    def end(self, state: str, error: str = "") -> None:
        """Say how the run ended."""
        self._sdk.connection.post(self._path("end"), data=json.dumps(self._own(state, error)))

    # The experiment and the files ------------------------------------------------------------

    @sdk.translated
    def open_experiment(self, experiment_id: str) -> None:
        """Go on with the experiment of the run."""
        self._experiment = self._sdk.get_experiment_by_id(experiment_id)
        told = self._get(f"/api/local/training/runs/{self._run}/log")
        # What an earlier runner printed stays.
        self._experiment.line_nb = int(told["after"]) + 1

    @sdk.translated
    def print_lines(self, lines: Sequence[str], part: str) -> None:
        """Keep lines that training printed."""
        self._experiment.send_logging(list(lines), part)

    @sdk.translated
    def store(self, name: str, path: Path) -> None:
        """Keep a file as an artifact of the experiment, in place of an older one of that name."""
        self._experiment.store(name, str(path))

    @sdk.translated
    def store_log(self, path: Path) -> None:
        """Keep the whole console output."""
        self._experiment.store_logging_file(str(path))

    @sdk.translated
    def artifacts(self) -> tuple[str, ...]:
        """Names of the files that the experiment has."""
        return tuple(str(one.name) for one in self._experiment.list_artifacts())

    @sdk.translated
    def download_version_file(self, version_id: str, name: str, folder: Path) -> Path | None:
        """Fetch a file of a model version; None where it has none of that name."""
        items = self._get(f"/api/model/version/{version_id}/modelfiles")["items"]
        found = next((one for one in items if one["name"] == name), None)
        return None if found is None else _fetched(found["presigned_url"], folder / name)

    @sdk.translated
    def download_image(self, image: Json, folder: Path) -> Path:
        """Fetch an image of the held-out data."""
        suffix = Path(str(image["filename"])).suffix
        return _fetched(str(image["url"]), folder / f"{image['asset_id']}{suffix}")

    def notebook(self, job: Job, folder: Path) -> Path:
        """The training notebook: the version's own, or the one that the parameters name.

        Raises:
            NotFoundError: there is neither.
        """
        found = self.download_version_file(job.base_version_id, NOTEBOOK, folder)
        if found is not None:
            return found
        named = Path(job.notebook).expanduser()
        if job.notebook and named.is_file():
            return named
        missing = f" and {job.notebook} is no file" if job.notebook else ""
        raise NotFoundError(
            f"The model version has no file {NOTEBOOK!r}{missing}.",
            f"Store it: version.store({NOTEBOOK!r}, path), "
            "or name it: experiment_parameters={'notebook': path}.",
        )

    # Inside --------------------------------------------------------------------------------

    def _tell(self, what: str, **body: Any) -> Json:
        return self._send("post", self._path(what), {"runner": self._name, **body})

    def _own(self, state: str, error: str) -> Json:
        return {"runner": self._name, "state": state, "error": error[-20_000:]}

    def _path(self, what: str) -> str:
        return f"/api/local/training/runs/{self._run}/{what}"


def _fetched(url: str, target: Path) -> Path:
    return fetch(lambda: Stored(target.name, url), target)
