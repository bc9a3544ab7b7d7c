"""A worker with other numbers of threads: `python -m benchmarks.gpu.tuned`.

Its serving.json has a key `tuning`: `decoders`, how many threads decode photos, and `switch_s`,
after how many seconds a thread of Python's makes way for another.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from picsellia_jupyter.serving import pipeline, worker
from picsellia_jupyter.serving.engine import Engine
from picsellia_jupyter.serving.messages import LoadRequest

MODULE = "benchmarks.gpu.tuned"


def manifest(folder: Path, told: dict[str, Any], name: str, **tuning: float) -> Path:
    """Write a serving.json with a tuning."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**told, "tuning": tuning}))
    return path


def load(request: LoadRequest) -> Engine:
    """Take the tuning out of the serving.json, and load the model as ever."""
    assert request.manifest
    told = json.loads(request.manifest.read_text())
    tuning = told.pop("tuning")
    if "decoders" in tuning:
        setattr(pipeline, "_DECODERS", int(tuning["decoders"]))  # noqa: B010 - nobody else may
    if "switch_s" in tuning:
        sys.setswitchinterval(tuning["switch_s"])
    plain = Path(os.environ["HOME"]) / "serving.json"
    plain.write_text(json.dumps(told))
    return Engine.load(dataclasses.replace(request, manifest=plain))


if __name__ == "__main__":
    worker.main(load)
