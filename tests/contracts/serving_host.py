"""A serving kernel's program in a process of its own; its job comes on stdin, one JSON line.

Prints one JSON line when it is attached to the deployment, then serves until it is killed.
"""

from __future__ import annotations

import json
import signal
import sys
import time

from picsellia_jupyter.serving.kernel import ServingProgram

GIVEN_UP_AFTER_S = 60.0


def main() -> None:
    said = json.loads(sys.stdin.readline())
    deployment_id = said.pop("deployment_id")
    job = {
        "front_token": "f" * 32,
        "model_file": "model-latest",
        "place": "local",
        "kernel_id": "k",
    }
    program = ServingProgram({**job, **said})
    program.start()
    until = time.monotonic() + GIVEN_UP_AFTER_S
    while program.service.status.dry_run is None and time.monotonic() < until:
        time.sleep(0.05)
    program.service.attach(deployment_id)
    sys.stdout.write(json.dumps({"serves": program.address}) + "\n")
    sys.stdout.flush()
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
