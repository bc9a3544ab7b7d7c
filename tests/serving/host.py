"""A process that serves like a kernel: `python host.py FOLDER [fork]`.

Prints one JSON line with the address, the log and the workers' process ids, then does to its
platform what it reads from its input: a line `known=False` sets that attribute.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

from picsellia_jupyter.serving import kernel
from tests.serving import fakes, models


def main():
    folder = Path(sys.argv[1])
    model = models.onnx_detector(folder / "model-latest")
    platform = fakes.store(fakes.FakePlatform(), model, models.DETECTOR)
    kernel.connector = lambda _: lambda: platform
    started = kernel.start(fakes.job(folder / "cache"))
    service = kernel._RUNNING[0].service
    fakes.wait_for(lambda: service.status.dry_run)
    service.attach(fakes.DEPLOYMENT)
    fakes.wait_for(lambda: (n := service._pool.numbers()).ready == n.workers)
    if "fork" in sys.argv and os.fork() == 0:
        # Holds every descriptor of ours open, as a data loader's worker would.
        os.setsid()
        time.sleep(60)
        os._exit(0)
    sys.stdout.write(json.dumps({**started, "workers": service.worker_pids}) + "\n")
    sys.stdout.flush()
    for line in sys.stdin:
        name, _, value = line.strip().partition("=")
        setattr(platform, name, json.loads(value))
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
