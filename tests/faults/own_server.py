"""A user's own server: it says the id of each prediction that is kept, a line each.

Its arguments are one JSON object: where the platform is, the deployment, and what to do.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import numpy as np

import picsellia_jupyter
from picsellia_jupyter.session import Session

PIXELS = np.zeros((8, 8, 3), np.uint8)


def serve(monitor: Any, count: int) -> None:
    """Predict so many times; what is kept is said."""
    for _ in range(count):
        with monitor(PIXELS) as m:
            m.detections = ([[1, 2, 3, 4]], [0.5], ["dog"])
        m.kept.result(60)
        os.write(1, f"{m.prediction_id}\n".encode())


def main(
    host: str, token: str, home: str, deployment: str, count: int, children: int = 0, more: int = 0
) -> None:
    """Serve, with children that are forked off as servers do, each of which ends as usual.

    What is to be served `more` waits until it is told to go on.
    """
    session = Session(host, token, home=home)
    monitor = picsellia_jupyter.monitor(deployment, session=session)
    serve(monitor, count)
    for _ in range(children):
        child = os.fork()
        if child == 0:
            serve(monitor, count)
            sys.exit(0)
        os.waitpid(child, 0)
        serve(monitor, count)
    os.write(1, b".\n")
    sys.stdin.readline()
    if more:
        serve(monitor, more)
        os.write(1, b".\n")
        sys.stdin.readline()


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
