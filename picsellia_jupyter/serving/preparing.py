"""From a job to a model that was tried: download, load, dry run, checklist."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from picsellia_jupyter.domain.deployments import DryRun, ServingJob, ServingState, Stage
from picsellia_jupyter.domain.errors import ServingError
from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.serving import download, preflight, trial
from picsellia_jupyter.serving.messages import LoadRequest
from picsellia_jupyter.serving.platform import Platform
from picsellia_jupyter.serving.pool import Pool, StateListener
from picsellia_jupyter.serving.signature import LoadedModel
from picsellia_jupyter.serving.status import StatusBoard


class Preparation:
    """Has the model of a job in workers, and tells on the board how far it is."""

    def __init__(
        self,
        job: ServingJob,
        board: StatusBoard,
        on_state: StateListener,
        on_line: Callable[[str], None],
    ) -> None:
        """Make it; `run` comes next.

        Args:
            job: what to serve.
            board: where each step is told.
            on_state: told when a worker died, is back, or is given up.
            on_line: told every line that a worker prints.
        """
        self._job = job
        self._board = board
        self._on_state, self._on_line = on_state, on_line
        self.pool: Pool | None = None
        """The workers; there before they have loaded, so that a stop ends them."""
        self.version: ModelVersion | None = None
        """The model version; None before the platform was asked for it."""

    @property
    def model(self) -> LoadedModel | None:
        """What a worker says of the model; None before it is loaded."""
        return self.pool.model if self.pool else None

    def run(self, platform: Platform) -> DryRun:
        """Download, load and try the model.

        Raises:
            ModelLoadError: it cannot be loaded or used.
            ServingError: serving was stopped meanwhile, or a worker died.
            PicselliaJupyterError: whatever the platform says.
        """
        self._begin(ServingState.LOADING, Stage.DOWNLOAD, "asking for the model's files")
        version = self.version = platform.model_version(self._job.model_version_id)
        files = download.fetch(
            platform,
            version,
            self._job.model_file,
            Path(self._job.cache_dir),
            on_download=lambda name: self._downloading(name, version.title),
        )
        self._begin(ServingState.LOADING, Stage.LOAD, f"{version.title} in a model worker")
        request = LoadRequest(
            files.model, files.manifest, version.type, len(version.labels),
            self._job.device, self._job.precision,
        )  # fmt: skip
        pool = self.pool = Pool(
            request, self._on_state, self._on_line,
            workers=self._job.workers, photo=trial.photo(),
        )  # fmt: skip
        model = pool.start()
        self._begin(ServingState.WARMING, Stage.DRY_RUN, "one made-up photo, twice")
        dry_run = trial.run(pool, model)
        pool.grow()
        checks = preflight.checks(version, files, model, dry_run)
        return dataclasses.replace(dry_run, checks=checks)

    def _downloading(self, name: str, title: str) -> None:
        self._board.set(detail=f"{name} of {title}")

    def _begin(self, state: ServingState, stage: Stage, detail: str) -> None:
        if self._board.set(state=state, stage=stage, detail=detail).state is ServingState.STOPPED:
            raise ServingError("Serving was stopped.")
