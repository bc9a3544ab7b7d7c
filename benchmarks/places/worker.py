"""`python -m benchmarks.places.worker DESCRIPTOR`: the worker of `toy`."""

from __future__ import annotations

import asyncio
import contextlib
import sys

from benchmarks.places import toy

if __name__ == "__main__":
    with contextlib.suppress(asyncio.IncompleteReadError, OSError):
        asyncio.run(toy.work(int(sys.argv[1])))
