"""A worker's threads: if one fails, the process ends, since every image would wait for it."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable

from picsellia_jupyter.serving.channel import ChannelClosedError

FAILED = 70
"""Exit status of a worker one of whose threads failed."""


def guarded(run: Callable[[], object]) -> None:
    """Run something until the front is gone; end the process if it fails."""
    try:
        run()
    except ChannelClosedError:
        return
    except BaseException:  # noqa: BLE001 - SystemExit, too: a model may raise it
        traceback.print_exc(file=sys.stderr)
        os._exit(FAILED)


def start(name: str, run: Callable[[], object]) -> None:
    """Run something in a thread for good."""
    threading.Thread(target=guarded, args=(run,), name=name, daemon=True).start()
