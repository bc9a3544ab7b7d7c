"""A way that is not installed here, in the environment of `make bench-peers`.

`python -m benchmarks.viewer.peer NAME ROUNDS COUNT...` prints what it costs, in JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from benchmarks.serving.servers import PEERS, ROOT
from benchmarks.viewer.costs import Cost, cost
from benchmarks.viewer.scenes import scenes
from benchmarks.viewer.ways import WAYS


def costs_of_peer(name: str, counts: Sequence[int], rounds: int) -> list[Cost] | None:
    """What a way costs with so many shapes; None where it is not installed there either."""
    if not PEERS.exists():
        return None
    command = [str(PEERS), "-m", __name__, name, str(rounds), *map(str, counts)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        return None
    return [Cost(ms, size) for ms, size in json.loads(done.stdout.splitlines()[-1])]


def main() -> None:
    """Measure in this process."""
    name, rounds, *counts = sys.argv[1:]
    way, found = WAYS[name], scenes(tuple(map(int, counts)))
    way(found[0])
    measured = [cost(way, scene, int(rounds)) for scene in found]
    print(json.dumps([(one.ms, one.size) for one in measured]))


if __name__ == "__main__":
    main()
