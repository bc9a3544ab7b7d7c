"""What a change of the champion costs those who ask: failed requests, and how late answers come.

A local platform and a serving kernel in processes of their own, the demo classifier on the CPU, one
model worker; two clients that predict one image after another, each prediction recorded. After a
stretch without any change the champion is promoted and rolled back while they go on.

- *Failed*: answers that are not HTTP 200; goal: none in 10,000.
- *p99*: of all answers of the stretch with the changes, against the one without; goal: at most
  twice as long. *While it takes over*: of the answers from asking for it until it is served.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.serving.goals import Goals
from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.handles.deployment import Deployment
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session

GOAL_P99 = 2.0
MODEL, NAME, CLIENTS = "digits-classifier", "bench-line", 2


@dataclass
class Load:
    """Clients that predict without a pause; every answer is noted with its time."""

    address: str
    path: str
    headers: dict[str, str]
    image: bytes
    answers: list[tuple[float, float, int]] = field(default_factory=list)
    """When it was asked (monotonic), seconds it took, and the status."""
    stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Ask meanwhile."""
        threads = [threading.Thread(target=self._ask) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()

    def await_answers(self, count: int) -> None:
        """Wait until there are so many."""
        while len(self.answers) < count and not self.stop.wait(0.02):
            pass

    def _ask(self) -> None:
        import httpx

        with httpx.Client(base_url=self.address, headers=self.headers, timeout=60) as http:
            while not self.stop.is_set():
                began = time.monotonic()
                try:
                    said = http.post(self.path, files={"media": ("digit.png", self.image)})
                    status = said.status_code
                except httpx.TransportError:
                    status = 0
                self.answers.append((began, time.monotonic() - began, status))


def measure(count: int, goals: Goals) -> None:
    """Measure with so many predictions, print a table, and note the goals."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        try:
            session = Session(home=home)
            seed(session)
            _measured(session, count, goals)
        finally:
            local_platform.stop(home)


def _measured(session: Session, count: int, goals: Goals) -> None:
    _second_version(session)
    line = session.deploy(f"{MODEL}:0", name=NAME, on="local", workers=1)
    try:
        load, spans = _load(session, line), []
        with load.running():
            load.await_answers(50)  # warm
            quiet_from = time.monotonic()
            load.await_answers(50 + count // 5)
            busy_from = time.monotonic()
            for share in (0.4, 0.7):
                load.await_answers(int(50 + count * share))
                began = time.monotonic()
                done = line.promote("1") if share < 0.5 else line.rollback()
                spans.append((began, time.monotonic(), done.elapsed_s))
            load.await_answers(50 + count)
    finally:
        session.undeploy(NAME)
    _tell(load, quiet_from, busy_from, spans, goals)


def _tell(
    load: Load,
    quiet_from: float,
    busy_from: float,
    spans: list[tuple[float, float, float]],
    goals: Goals,
) -> None:
    at, took, status = (np.array(column) for column in zip(*load.answers, strict=True))
    quiet, busy = took[(at >= quiet_from) & (at < busy_from)], took[at >= busy_from]
    (asked, served, promoted_s), (_, _, back_s) = spans
    during = took[(at >= asked) & (at <= served)]
    failed = int((status != 200).sum())
    normal, changed, switching = (1000 * np.percentile(one, 99) for one in (quiet, busy, during))
    ratio = changed / normal
    rows = [
        ("Predictions, two changes", f"{len(took):,}", f"{failed} failed; goal 0"),
        ("p99 without a change", f"{normal:.1f} ms", f"p50 {1000 * np.median(quiet):.1f} ms"),
        ("p99 with both changes", f"{changed:.1f} ms", f"{ratio:.2f} x; goal {GOAL_P99:g} x"),
        ("p99 while it takes over", f"{switching:.1f} ms", f"{len(during):,} answers"),
        ("Promoted after", f"{promoted_s:.1f} s", f"rolled back after {back_s:.1f} s"),
    ]
    for name, figure, note in rows:
        print(f"{name:<28}{figure:>16}  {note}")
    goals.at_most("R3", "failed requests while the champion changes", failed, 0)
    goals.at_most("R4", "p99 with the changes, against without", ratio, GOAL_P99, " x")


def _second_version(session: Session) -> None:
    platform = session.platform
    demo = next(one for one in catalog.MODELS if one.name == MODEL)
    model = next(one for one in platform.models() if one.name == MODEL)
    version = platform.create_version(
        model, kind=demo.type, framework=demo.framework, labels=demo.labels
    )
    for name, path in demo.files.items():
        platform.store_file(version, name, path)


def _load(session: Session, line: Deployment) -> Load:
    import httpx

    record = line.refresh()
    assert record.serving is not None
    login: dict[str, Any] = {"api_token": session.platform.token, "deployment_id": record.id}
    said = httpx.post(f"{record.serving.address}/api/login", json=login).raise_for_status()
    return Load(
        record.serving.address,
        f"/api/deployments/{record.id}/predict",
        {"Authorization": f"Bearer {said.json()['jwt']}"},
        next(path for path, _ in catalog.digits()).read_bytes(),
    )
