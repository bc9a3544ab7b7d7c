"""One training run from its claim to its end."""

from __future__ import annotations

import contextlib
import keyword
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from picsellia_jupyter.clients.runners import Job, RunnerClient
from picsellia_jupyter.domain.errors import (
    MissingExtraError,
    NotFoundError,
    PicselliaJupyterError,
    ServingError,
)
from picsellia_jupyter.domain.training import NOTEBOOK
from picsellia_jupyter.training.programs import Program
from picsellia_jupyter.training.pulse import Pulse
from picsellia_jupyter.training.workplaces import Workplace
from picsellia_jupyter.wire.predictions import Json

SERVED = "model-latest"
"""The model file that a deployment serves."""
EXECUTED = "executed.ipynb"
CARRIED = (NOTEBOOK, "serving.json")
"""Files that the next version takes over where training made none of its own."""


class Runner:
    """Claims a run, executes its notebook, exports what was trained and has it compared."""

    def __init__(self, place: Workplace, run_id: str, name: str) -> None:
        """Make it.

        Args:
            place: where it is done.
            run_id: of the run.
            name: of this runner, its alone.
        """
        self._place, self._run, self._name = place, run_id, name
        self._program: Program | None = None

    def run(self) -> None:
        """Do it.

        Raises:
            ConflictError: another runner has it, or it is over.
            PlatformUnreachableError: the platform is not there.
        """
        client = self._connect()
        job = client.claim()
        if not job.is_running:
            return
        client.open_experiment(job.experiment_id)

        def beside() -> RunnerClient:
            made = self._connect()
            made.open_experiment(job.experiment_id)
            return made

        pulse = Pulse(beside, self._stop, wall_s=job.wall_s)
        # Nothing of it is left once it is told how the run ended.
        with pulse, _folder(self._place.folder, self._run) as folder:
            error = self._done(client, job, pulse, folder)
        self._end(pulse, error)

    def _connect(self) -> RunnerClient:
        return self._place.connect(self._run, self._name)

    def _begin(self, pulse: Pulse, program: Program) -> Program:
        self._program = program
        if pulse.is_stopped:
            # It was stopped before there was anything to end.
            program.kill()
        return program

    def _stop(self) -> None:
        if self._program is not None:
            self._program.kill()

    def _done(self, client: RunnerClient, job: Job, pulse: Pulse, folder: Path) -> str:
        """Do all of it; what went wrong, empty where nothing did."""
        try:
            error = self._trained(client, job, pulse, folder)
            if error or pulse.is_stopped:
                return error
            pulse.step = "exporting"
            version_id = self._exported(client, job, folder)
            self._compared(client, job, version_id, pulse, folder)
        except PicselliaJupyterError as error:
            pulse.print(str(error))
            return str(error)
        except OSError as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def _end(self, pulse: Pulse, error: str) -> None:
        if pulse.is_lost:
            return
        client = self._connect()
        if pulse.is_cancelled:
            client.end("CANCELED")
        elif pulse.is_late:
            client.end("FAILED", f"It took longer than {pulse.wall_s:g} s, its limit 'wall_s'.")
        else:
            client.end("FAILED" if error else "SUCCESS", error)

    # The notebook ----------------------------------------------------------------------------

    def _trained(self, client: RunnerClient, job: Job, pulse: Pulse, folder: Path) -> str:
        pulse.step = "training"
        check_papermill()
        source, target = client.notebook(job, folder / "source"), folder / "work" / EXECUTED
        target.parent.mkdir()
        asked = {
            "parameters": {**_named(job.parameters), "experiment_id": job.experiment_id},
            "memory_gb": job.memory_gb,
            "cpu_s": job.cpu_s,
        }
        error, log = "The notebook's program ended without a word.", folder / "log.txt"
        words = [str(source), str(target)]
        module = "picsellia_jupyter.training.executing"
        program = self._begin(pulse, Program(module, words, asked, self._place.environment()))
        with log.open("w", encoding="utf-8") as stream:
            for event in program.events():
                if "line" in event:
                    stream.write(f"{event['line']}\n")
                    pulse.print(str(event["line"]))
                pulse.progress = float(event.get("progress", pulse.progress))
                error = str(event.get("error", error))
        program.wait()
        if not pulse.is_lost:
            _keep(client, target, log)
        return "" if pulse.is_stopped else error

    def _exported(self, client: RunnerClient, job: Job, folder: Path) -> str:
        made = client.artifacts()
        if SERVED not in made:
            raise NotFoundError(
                f"Training has stored no {SERVED!r}, so there is no new version.",
                f"In the notebook: experiment.store({SERVED!r}, path)",
            )
        for name in CARRIED:
            if name not in made:
                found = client.download_version_file(job.base_version_id, name, folder / "carried")
                if found is not None:
                    client.store(name, found)
        return client.export()

    # Champion and challenger -----------------------------------------------------------------

    def _compared(
        self, client: RunnerClient, job: Job, version_id: str, pulse: Pulse, folder: Path
    ) -> None:
        data = client.held_out()
        if not data.images:
            pulse.print(f"Not compared with the champion. {data.said}".strip())
            return
        pulse.step = f"comparing on {data.dataset}"
        images = {
            str(image["asset_id"]): str(client.download_image(image, folder / "images"))
            for image in data.images
        }
        sides = (job.base_version_id, version_id)
        found = self._found(client, sides, images, pulse, folder)
        told = client.compare(found[sides[0]], found[sides[1]])
        for line in _in_words(told):
            pulse.print(line)

    def _found(
        self,
        client: RunnerClient,
        versions: tuple[str, str],
        images: dict[str, str],
        pulse: Pulse,
        folder: Path,
    ) -> dict[str, Json]:
        asked = {
            "host": client.host,
            "token": client.token,
            "organization_id": client.organization_id,
            "cache_dir": str(folder / "models"),
            "model_file": SERVED,
            "versions": versions,
            "images": images,
        }
        program = self._begin(pulse, Program("picsellia_jupyter.serving.scoring", [], asked))
        found = {event["version"]: event["found"] for event in program.events()}
        if program.wait() != 0 or set(found) != set(versions):
            raise ServingError(
                "The new version could not be compared with the champion: a model did not load.",
                f"What it printed: {self._place.log_of(self._run)}",
            )
        return found


def _keep(client: RunnerClient, notebook: Path, log: Path) -> None:
    """Store the executed notebook and all that it printed, however it ended."""
    if notebook.is_file():
        client.store(EXECUTED, notebook)
    client.store_log(log)


def _in_words(told: Json) -> Iterator[str]:
    found = told["comparison"]
    if found:
        yield (
            f"On {told['dataset']}, {found['images']} images: from {found['champion']} to "
            f"{found['shadow']}, with {next(iter(found['scores'].values()))['gain']['level']:.0%} "
            "confidence"
        )
        for name, one in found["scores"].items():
            old, new, gain = (one[key] for key in ("champion", "shadow", "gain"))
            yield (
                f"{name}: {old['value']:.3f} to {new['value']:.3f}, a gain of "
                f"{gain['value']:+.3f} ({gain['low']:+.3f} to {gain['high']:+.3f})"
            )
    if told["said"]:
        yield str(told["said"])


def _named(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Those that a notebook can have as variables; the experiment tells all of them."""
    return {
        name: value
        for name, value in parameters.items()
        if name.isidentifier() and not keyword.iskeyword(name)
    }


@contextlib.contextmanager
def _folder(parent: Path, run_id: str) -> Iterator[Path]:
    parent.mkdir(exist_ok=True)
    for left in parent.glob(f"run-{run_id}-*"):
        # Of a runner that was killed; nobody else has this run.
        shutil.rmtree(left, ignore_errors=True)
    made = Path(tempfile.mkdtemp(dir=parent, prefix=f"run-{run_id}-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def check_papermill() -> None:
    """See to it that notebooks can be executed.

    Raises:
        MissingExtraError: they cannot.
    """
    from importlib.util import find_spec

    if find_spec("papermill") is None:
        raise MissingExtraError("Training", "papermill", "training")
