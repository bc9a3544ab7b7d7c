"""A platform that lives in memory, and images made on the spot."""

from __future__ import annotations

import io
import json
import shutil
import time
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import psutil
from PIL import Image

from picsellia_jupyter.domain.errors import (
    ConflictError,
    NotFoundError,
    PlatformUnreachableError,
)
from picsellia_jupyter.domain.registry import Framework, InferenceType, ModelFile, ModelVersion

DEPLOYMENT = "11111111-1111-4111-8111-111111111111"
VERSION = "22222222-2222-4222-8222-222222222222"


@dataclass
class Reply:
    threshold: float | None
    interval_s: float = 0.1
    shadow_version_id: str | None = None
    paused: str = ""
    champion_version_id: str | None = None


@dataclass
class FakePlatform:
    """Plays `serving.platform.Platform`; many threads may use it, each list is appended to."""

    kind: InferenceType = InferenceType.OBJECT_DETECTION
    threshold: float | None = 0.5
    stored: dict[str, Path] = field(default_factory=dict)
    downloads: list[str] = field(default_factory=list)
    beats: list = field(default_factory=list)
    recorded: list = field(default_factory=list)
    known: bool = True
    paused: str = ""
    """Why the kernel must not predict."""
    superseded: bool = False
    """Whether another kernel has claimed the deployment since."""
    reachable: bool = True
    images: dict[str, bytes] = field(default_factory=dict)
    """What the target datalake's storage holds."""
    champion: str | None = None
    """The champion's id; None leaves the kernel with what it has."""
    shadow: str | None = None
    """The shadow model version's id."""
    broken: set[str] = field(default_factory=set)
    """Ids of model versions that cannot be had."""
    shadowed: list = field(default_factory=list)
    refusals: list[Exception] = field(default_factory=list)
    """Raised by the next recordings, one each."""

    def model_version(self, version_id):
        if version_id in self.broken:
            raise NotFoundError(f"There is no model version {version_id}.")
        return ModelVersion(
            version_id, "m", "tiny", "v0", 0, self.kind, Framework.ONNX, {0: "a", 1: "b"}
        )

    def files(self, version):
        return [
            ModelFile(f"file-{i}", name, path.name)
            for i, (name, path) in enumerate(self.stored.items())
        ]

    def download(self, file, folder):
        self.downloads.append(file.name)
        return Path(shutil.copy(self.stored[file.name], folder / file.filename))

    def heartbeat(self, deployment_id, beat):
        self._check()
        if not self.known or deployment_id != DEPLOYMENT:
            raise NotFoundError("No such deployment.")
        if self.superseded and not beat.claim:
            raise ConflictError("The deployment is served by another serving kernel.")
        self.beats.append(beat)
        return Reply(
            self.threshold,
            shadow_version_id=self.shadow,
            paused=self.paused,
            champion_version_id=self.champion,
        )

    def monitor(self, deployment_id, record, *, again=False):
        self._check()
        if self.refusals:
            raise self.refusals.pop(0)
        said = {field.name: getattr(record, field.name) for field in fields(record)}
        image, predicted = said.pop("image"), said.pop("predicted")
        self.recorded.append((deployment_id, image, predicted, {**said, "again": again}))
        return predicted.prediction_id

    def monitor_shadow(self, deployment_id, prediction_id, predicted):
        self._check()
        self.shadowed.append((deployment_id, prediction_id, predicted))

    def stored_image(self, deployment_id, connector_id, object_name, *, at_most):
        self._check()
        if object_name not in self.images:
            raise NotFoundError(f"Nothing is stored as {object_name}.")
        return self.images[object_name]

    def _check(self):
        if not self.reachable:
            raise PlatformUnreachableError("Nobody answers.")


def job(cache: Path, **changes) -> dict[str, str]:
    return {
        "host": "http://127.0.0.1:9",
        "token": "api-token-canary",
        "front_token": "front-token-canary",
        "organization_id": "o",
        "model_version_id": VERSION,
        "model_file": "model-latest",
        "cache_dir": str(cache),
        "place": "local",
        "kernel_id": "k",
        **changes,
    }


def store(platform: FakePlatform, model: Path, manifest: dict | None) -> FakePlatform:
    platform.stored["model-latest"] = model
    if manifest is not None:
        said = model.with_name("serving.json")
        said.write_text(json.dumps(manifest))
        platform.stored["serving.json"] = said
    return platform


def picture(width=128, height=96, kind="JPEG", **how) -> bytes:
    pixels = np.linspace(0, 255, width * height * 3).reshape(height, width, 3).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, kind, **how)
    return out.getvalue()


def is_gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody has buried yet counts."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_for(condition, *, within_s=10.0):
    """Poll until something is true; its value."""
    end = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "it did not become true in time"
        time.sleep(0.01)
