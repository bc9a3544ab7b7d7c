"""Starts a program for each training run that waits; one at a time, they need the processors."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable

from sqlalchemy import select

from picsellia_jupyter.domain.training import RunState
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.tables.training import TrainingRun
from picsellia_jupyter.localplatform.training import (
    ATTEMPTS,
    WAITING,
    given_up,
    is_lost,
    take_back,
)
from picsellia_jupyter.localplatform.training_jobs import finish

LOGS = "training"
"""Folder of the data directory for what runners print beside what they tell the platform."""
_NAP_S = 6.0
"""Seconds between two looks from which on this machine slept, and its runners with it."""
Start = Callable[[str], "subprocess.Popen[bytes]"]


class Starter:
    """Takes runs from runners that are gone, and starts a runner for the one that waits longest.

    A runner claims its run by itself, so that one that is started twice is done once: whatever
    this remembers may be lost.
    """

    def __init__(self, here: Platform, start: Start | None = None) -> None:
        """Start runners of a platform.

        Args:
            here: the platform.
            start: starts a program for the run of an id.
        """
        self._here = here
        self._start = start or self._program
        self._runner: subprocess.Popen[bytes] | None = None
        self._started: Counter[str] = Counter()
        self._awake_since = self._looked_at = here.started_at

    def __call__(self) -> int:
        """Look once; how many runners were started."""
        self._take_back()
        if self._runner is not None and self._runner.poll() is None:
            return 0
        run = self._next()
        if run is None:
            return 0
        tries = f"{run.id} {run.attempt}"
        if self._started[tries] >= ATTEMPTS:
            self._give_up(run)
            return 0
        self._started[tries] += 1
        self._runner = self._start(run.id)
        return 1

    def _take_back(self) -> None:
        here, now = self._here, self._here.clock()
        if now - self._looked_at > _NAP_S:
            self._awake_since = now
        self._looked_at, awake = now, self._awake_since
        with here.store.reading() as session:
            lost = is_lost(session, now=now, awake_since=awake)
            abandoned = bool(given_up(session, now=now, awake_since=awake))
        if not (lost or abandoned):
            return
        with here.store.writing() as session:
            take_back(session, now=now, awake_since=awake)
            for run, why in given_up(session, now=now, awake_since=awake):
                state = RunState.CANCELED if run.is_cancelled else RunState.FAILED
                finish(session, run, state, error="" if run.is_cancelled else why, now=now)

    def _next(self) -> TrainingRun | None:
        # What a place is to do is not this machine's.
        query = select(TrainingRun).filter_by(state=WAITING, place="")
        query = query.order_by(TrainingRun.created_at)
        with self._here.store.reading() as session:
            return session.scalars(query.limit(1)).first()

    def _give_up(self, run: TrainingRun) -> None:
        log = self._here.home / LOGS / f"{run.id}.log"
        said = f"{ATTEMPTS} runners ended before they took the run up. They printed: {log}"
        with self._here.store.writing() as session:
            row = session.get(TrainingRun, run.id)
            if row is not None and row.state == WAITING:
                finish(session, row, RunState.FAILED, error=said, now=self._here.clock())

    def _program(self, run_id: str) -> subprocess.Popen[bytes]:
        home = self._here.home
        (home / LOGS).mkdir(exist_ok=True)
        with (home / LOGS / f"{run_id}.log").open("ab") as log:
            return subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "picsellia_jupyter.training",
                 "--home", str(home), "--run", run_id],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
