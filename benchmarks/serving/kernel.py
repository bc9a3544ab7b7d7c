"""Our serving kernel for a benchmark: `python -m benchmarks.serving.kernel FOLDER [OPTIONS]`.

The whole of it: front with tokens, workers in their sandbox, metrics, heartbeats, and the
recorder. The model's files come from the folder instead of the platform's registry; heartbeats and
predictions go to a real local platform where `--platform` names one (`HOST TOKEN DEPLOYMENT`),
and are else dropped by a stand-in.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import json
import os
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from picsellia_jupyter.domain.deployments import Heartbeat
from picsellia_jupyter.domain.registry import Framework, InferenceType, ModelFile, ModelVersion

STAND_IN = "11111111-1111-4111-8111-111111111111"
TOKEN = "benchmark-token"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the stand-in answers to a heartbeat."""

    threshold: float | None = None
    interval_s: float = 2.0
    shadow_version_id: str | None = None
    paused: str = ""
    champion_version_id: str | None = None


class Registry:
    """Gives the model's files out of a folder, and hands everything else on."""

    def __init__(self, folder: Path, model: str, recording: Any, *, classes: int = 0) -> None:
        self._classes = classes
        self._framework = Framework.ONNX if model.endswith(".onnx") else Framework.PYTORCH
        self._files = {"model-latest": folder / model, "serving.json": folder / "serving.json"}
        self._recording = recording

    def model_version(self, version_id: str) -> ModelVersion:
        """The version."""
        kind, labels = InferenceType.OBJECT_DETECTION, {0: "a"}
        if self._classes:
            kind = InferenceType.CLASSIFICATION
            labels = {number: str(number) for number in range(self._classes)}
        return ModelVersion(version_id, "m", "bench", "v0", 0, kind, self._framework, labels)

    def files(self, _version: ModelVersion) -> Sequence[ModelFile]:
        """The model and its serving.json."""
        return [
            ModelFile(name.replace(".", "-"), name, path.name) for name, path in self._files.items()
        ]

    def download(self, file: ModelFile, folder: Path) -> Path:
        """Copy a file."""
        return Path(shutil.copy(self._files[file.name], folder / file.filename))

    def heartbeat(self, deployment_id: str, beat: Heartbeat) -> Any:
        """Tell the platform, if there is one; the model is not its champion, and stays."""
        if not self._recording:
            return Reply()
        said = self._recording.heartbeat(deployment_id, beat)
        return dataclasses.replace(said, champion_version_id=None)

    def __getattr__(self, name: str) -> Any:
        """Whatever else a serving kernel asks of its platform."""
        if self._recording:
            return getattr(self._recording, name)
        if name.startswith("monitor"):
            return lambda *_args, **_kwargs: None
        raise AttributeError(name)


def main() -> None:
    """Serve until told to end; prints the address and a token once it is ready."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="model.onnx")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--workers", type=int, help="as many as pay by default")
    parser.add_argument("--classes", type=int, default=0, help="of a classifier")
    parser.add_argument("--platform", nargs=3, metavar=("HOST", "TOKEN", "DEPLOYMENT"))
    given = parser.parse_args()
    where = tuple(given.platform or ("http://127.0.0.1:9", TOKEN, STAND_IN))
    with tempfile.TemporaryDirectory() as home:
        how: dict[str, Any] = {
            "device": given.device,
            "precision": given.precision,
            "cache_dir": str(Path(home) / "cache"),
        }
        how["workers"] = given.workers
        files = functools.partial(Registry, given.folder, given.model, classes=given.classes)
        service, said = _start(files, how, where)
        _print(said, service)
        threading.Event().wait()


def _start(
    files: Callable[[Any], Registry], how: dict[str, Any], where: tuple[str, ...]
) -> tuple[Any, dict[str, Any]]:
    from picsellia_jupyter.serving import kernel

    host, token, deployment = where
    # The one thing that is not as in a real deployment: where the model's files come from.
    connect = functools.partial(_connect, files, where)
    setattr(kernel, "connector", lambda _job: connect)  # noqa: B010 - imported there, no export
    job = {
        "host": host, "token": token, "front_token": uuid.uuid4().hex,
        "organization_id": _organization(host, token), "model_version_id": STAND_IN,
        "model_file": "model-latest", "place": "local", "kernel_id": "bench", **how,
    }  # fmt: skip
    said = kernel.start(job)
    service = kernel._RUNNING[0].service
    while not service.status.dry_run:
        if service.status.error:
            raise service.status.error
        time.sleep(0.01)
    service.attach(deployment)
    login = {"api_token": token, "deployment_id": deployment}
    jwt = httpx.post(f"{said['address']}/api/login", json=login).raise_for_status().json()["jwt"]
    path = f"/api/deployments/{deployment}/predict"
    return service, {"address": said["address"], "path": path, "token": jwt, "pid": os.getpid()}


def _print(said: dict[str, Any], service: Any) -> None:
    print(json.dumps({**said, "workers": service.worker_pids}), flush=True)
    pool = service._pool
    while (numbers := pool.numbers()).ready < numbers.workers:
        time.sleep(0.01)
    print(json.dumps({"all": service.worker_pids}), flush=True)


def _organization(host: str, token: str) -> str:
    if token == TOKEN:
        return STAND_IN
    headers = {"Authorization": f"Bearer {token}"}
    ping = httpx.get(f"{host}/api/home/ping", headers=headers).raise_for_status().json()
    return str(ping["default_organization"])


def _connect(files: Callable[[Any], Registry], where: tuple[str, ...]) -> Registry:
    host, token, _ = where
    if token == TOKEN:
        return files(None)
    from picsellia_jupyter.clients.kernel import KernelClient

    client = KernelClient.connect(host, token, organization_id=_organization(host, token))
    return files(client)


if __name__ == "__main__":
    main()
