"""FastAPI on uvicorn: `python -m benchmarks.serving.peers.with_fastapi FOLDER PORT [--naive]`."""

from __future__ import annotations

import argparse
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI, Response, UploadFile

from benchmarks.serving import limit


@contextlib.asynccontextmanager
async def two_threads(_app: FastAPI) -> AsyncIterator[None]:
    """Tuned: as many threads as cores; the usual 40 would take turns."""
    import anyio.to_thread

    anyio.to_thread.current_default_thread_limiter().total_tokens = 2
    yield


app = FastAPI(lifespan=two_threads)
local = threading.local()
given = argparse.Namespace()


def _predict(photo: bytes) -> Response:
    # A session a thread: one for all would be asked from all of them at a time.
    if not hasattr(local, "predict"):
        local.predict = limit.with_engine(given.folder)
    return Response(local.predict(photo), media_type="application/json")


async def naive(media: UploadFile) -> Response:
    """The model runs on the event loop, as in most tutorials."""
    return _predict(await media.read())


def pooled(media: UploadFile) -> Response:
    """The model runs in FastAPI's pool of threads."""
    return _predict(media.file.read())


def main() -> None:
    """Serve."""
    import uvicorn

    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--naive", action="store_true")
    parser.parse_args(namespace=given)
    app.post("/predict")(naive if given.naive else pooled)
    uvicorn.run(app, host="127.0.0.1", port=given.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
