"""A strict double of the Picsellia cloud: `python -m tests.cloud.double --home DIR --json`.

It keeps what it is told in a local platform of its own, but lets pass only what the SDK 6.37
sends (`wire.py`), and answers with nothing but what the SDK reads: no `/api/local`, no
capabilities, no id of a prediction that a client has chosen. Whatever else is asked is refused
as the cloud would, and written to `violations.jsonl`, which fails the test.

Stand-ins for what is said nowhere: statistics have a shape that nobody knows, and Picsellia Serving
is a tiny model of its own. `faults.json` has it misbehave (`Faults`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from picsellia_jupyter.localplatform import recording
from picsellia_jupyter.localplatform.app import build_app
from picsellia_jupyter.localplatform.bootstrap import address_of, open_platform
from picsellia_jupyter.localplatform.housekeeping import Housekeeping, chores
from picsellia_jupyter.localplatform.server import listening_socket, run
from tests.cloud.gate import Gate


@dataclass
class Faults:
    """How the double misbehaves; a test writes it, and it counts down what it has done."""

    quota_spent: bool = False
    """Picsellia Serving is refused with HTTP 402."""
    lost_replies: int = 0
    """So many predictions are recorded, and answered with HTTP 504."""
    conflicts: int = 0
    """So many predictions are refused with HTTP 409."""
    bare: bool = False
    """Of a deployment nothing is told but what the SDK cannot do without."""
    plain_statistics: bool = False
    """Statistics are told as the local platform spells them, as the cloud's may be."""


class Notes:
    """What a test and the double tell each other, in files beside the database."""

    def __init__(self, folder: Path) -> None:
        self._faults = folder / "faults.json"
        self._violations = folder / "violations.jsonl"

    def plan(self, **faults: Any) -> None:
        """Have the double misbehave from now on, in these ways alone."""
        self._write(Faults(**faults))

    @property
    def faults(self) -> Faults:
        """How it misbehaves now."""
        if not self._faults.exists():
            return Faults()
        return Faults(**json.loads(self._faults.read_text()))

    def _write(self, faults: Faults) -> None:
        fresh = self._faults.with_suffix(".new")
        fresh.write_text(json.dumps(asdict(faults)))
        fresh.replace(self._faults)

    def take(self, name: str) -> bool:
        """Whether one more fault of a kind is due; it is counted down."""
        faults = self.faults
        left = getattr(faults, name)
        if left:
            setattr(faults, name, left - 1)
            self._write(faults)
        return bool(left)

    def accuse(self, what: str) -> None:
        """Note something that the SDK would never have sent."""
        with self._violations.open("a") as file:
            file.write(json.dumps(what) + "\n")

    @property
    def violations(self) -> list[str]:
        """All that was noted."""
        if not self._violations.exists():
            return []
        return [json.loads(line) for line in self._violations.read_text().splitlines()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(arguments)
    # The cloud knows no id that a client makes.
    recording.PREDICTION_ID_KEY = "no key of any client"
    platform, token = open_platform(args.home, token=None, clock=time.time, started_at=time.time())
    with listening_socket(args.port, 0) as listener:
        address = address_of(platform, token, port=listener.getsockname()[1])
        app = build_app(platform)
        app.add_middleware(Gate, notes=Notes(args.home), origin=address.host)
        try:
            with Housekeeping(chores(platform)):
                run(app, listener, platform, lambda: print(address.line(), flush=True))
        finally:
            platform.store.close()
    return 0


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
