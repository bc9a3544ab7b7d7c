"""Broken images over real HTTP, sent to a serving process with its confined workers."""

import collections
import itertools
import json
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.serving import fakes, mutations

MOST_RESIDENT = 2**30
"""Bytes, of the front and of each worker."""
WAIT_S, WAIT_FOR_ALL_S = 20, 120
ALLOWED = {200, 400, 413}
"""Predicted, no image, too large: whatever is sent, the server is never at fault."""
ROUTE = f"/api/deployments/{fakes.DEPLOYMENT}/predict"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


class Sender:
    """A client of one serving process that looks at every answer."""

    def __init__(self, process):
        told = json.loads(process.stdout.readline())
        self.processes = {"front": process.pid}
        self.processes |= {f"worker {n}": pid for n, pid in enumerate(told["workers"])}
        self.client = httpx.Client(base_url=told["address"], timeout=WAIT_FOR_ALL_S + 5)
        login = {"api_token": "api-token-canary", "deployment_id": fakes.DEPLOYMENT}
        jwt = self.client.post("/api/login", json=login).json()["jwt"]
        self.client.headers["Authorization"] = f"Bearer {jwt}"
        self.answers = collections.Counter()
        self.slowest_s = 0.0

    def send(self, cases, monitor, wait_s=WAIT_S):
        """One image a request, or many where there are."""
        files = [("media", (name, content)) for name, content in cases]
        began = time.monotonic()
        route = ROUTE if len(files) == 1 else f"{ROUTE}/batch"
        prefer = {"Prefer": f"wait={wait_s}"}
        reply = self.client.post(route, files=files, data={"monitor": str(monitor)}, headers=prefer)
        took = time.monotonic() - began
        assert took < wait_s + 1, f"{took:.1f} s for {cases[0][0]}"
        self.slowest_s = max(self.slowest_s, took / len(files))
        for name, status in self._statuses(cases, reply):
            assert status in ALLOWED, f"{status} for {name}: {reply.text[:2000]}"
            self.answers[status] += 1

    def _statuses(self, cases, reply):
        if len(cases) == 1:
            return [(cases[0][0], reply.status_code)]
        assert reply.status_code == 200, reply.text
        *lines, end = map(json.loads, reply.text.splitlines())
        assert end["images"] == len(lines) == len(cases)
        return [(cases[line["index"]][0], line["status"]) for line in lines]

    def check(self):
        """All processes are those of the start, none has grown, and a good image is served."""
        for name, pid in self.processes.items():
            peak = peak_bytes(pid)
            assert peak <= MOST_RESIDENT, f"the {name} had {peak / 2**20:.0f} MiB"
        good = {"media": ("good.jpg", fakes.picture())}
        reply = self.client.post(ROUTE, files=good, data={"monitor": "False"})
        assert reply.status_code == 200, reply.text
        assert reply.json()["detection_classes"] == [0]

    def told(self):
        peaks = [f"{n} {peak_bytes(p) / 2**20:.0f} MiB" for n, p in self.processes.items()]
        return (
            f"{self.answers.total()} images, answers {dict(sorted(self.answers.items()))}, "
            f"slowest {self.slowest_s:.2f} s, at most {', '.join(peaks)}"
        )


def peak_bytes(pid):
    """The most memory that a process ever had; it must live still."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


@pytest.fixture
def sender(host):
    made = Sender(host())
    yield made
    made.client.close()


def groups(cases):
    """One, one, one, then many at once, over and over; every other time to be recorded."""
    cases = iter(cases)
    for number, size in enumerate(itertools.cycle((1, 1, 1, 24))):
        group = list(itertools.islice(cases, size))
        if not group:
            return
        yield group, number % 8 < 4


@pytest.mark.timeout(3600)
def test_mutated_images_are_predicted_on_or_refused_and_harm_nobody(sender, long):
    for group, monitor in groups(mutations.mutants(20_000 if long else 500)):
        sender.send(group, monitor)
    sender.check()
    assert sender.answers[200] > 20
    assert sender.answers[400] > 200
    print(f"mutated images: {sender.told()}")


def test_bombs_take_neither_the_memory_nor_the_time_of_others(sender, long):
    bombs = mutations.bombs()
    assert len(bombs) >= 30
    for number, bomb in enumerate(bombs):
        sender.send([bomb], number % 2 == 0)
        sender.check()
    at_once = bombs if long else bombs[::2]
    sender.send(at_once, monitor=True, wait_s=WAIT_FOR_ALL_S)
    sender.check()
    print(f"bombs: {sender.told()}")
