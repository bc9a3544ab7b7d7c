"""Predicts on images with model versions: `python -m picsellia_jupyter.serving.scoring`.

A program of its own, so that whoever compares versions meets models only in their sandbox. It
reads one JSON object from its input: `host`, `token`, `organization_id`, `cache_dir`, `model_file`,
`versions` (ids) and `images` (paths by a name of each). What was found it writes as one line of
JSON a version: `{"version": …, "found": {name: raw_predictions}, "failed": {name: why}}`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from picsellia_jupyter.domain.deployments import ServingJob
from picsellia_jupyter.domain.errors import PicselliaJupyterError, ServingError
from picsellia_jupyter.serving.platform import connector
from picsellia_jupyter.serving.pool import Pool
from picsellia_jupyter.serving.preparing import Preparation
from picsellia_jupyter.serving.status import StatusBoard
from picsellia_jupyter.wire.predictions import Json, to_raw


def main() -> int:
    """Predict; 0 where every version could be loaded."""
    asked: dict[str, Any] = json.load(sys.stdin)
    for version_id in asked["versions"]:
        try:
            told = _scored(asked, version_id)
        except PicselliaJupyterError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        sys.stdout.write(json.dumps({"version": version_id, **told}) + "\n")
        sys.stdout.flush()
    return 0


def _scored(asked: Mapping[str, Any], version_id: str) -> Json:
    job = ServingJob(
        host=asked["host"],
        token=asked["token"],
        front_token="",
        organization_id=asked["organization_id"],
        model_version_id=version_id,
        model_file=asked["model_file"],
        cache_dir=asked["cache_dir"],
        place="local",
        kernel_id="",
        # Another worker would have to be warmed first, which pays only for many images.
        workers=1,
    )
    preparation = Preparation(
        job, StatusBoard(lambda _status: None), lambda _state, _why: None, lambda _line: None
    )
    try:
        preparation.run(connector(job)())
        if preparation.pool is None:
            raise ServingError("There is no worker.")
        return _found(preparation.pool, asked["images"])
    finally:
        if preparation.pool is not None:
            preparation.pool.stop()


def _found(pool: Pool, images: Mapping[str, str]) -> Json:
    found: dict[str, Json] = {}
    failed: dict[str, str] = {}
    for name, path in images.items():
        try:
            reply = pool.submit(Path(path).read_bytes(), name, record=False).result()
        except PicselliaJupyterError as error:
            failed[name] = str(error)
        else:
            found[name] = to_raw(reply.found, reply.size)
    return {"found": found, "failed": failed}


if __name__ == "__main__":
    sys.exit(main())
