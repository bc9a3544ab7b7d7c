"""Which model version predicts, and how another one takes over without a pause."""

from __future__ import annotations

import dataclasses
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from picsellia_jupyter.domain.deployments import FailedSwitch, ServingJob, ServingState
from picsellia_jupyter.domain.errors import NotServingError, PlatformUnreachableError
from picsellia_jupyter.domain.registry import ModelVersion
from picsellia_jupyter.serving.platform import Connect
from picsellia_jupyter.serving.pool import PREDICT_TIMEOUT_S, Pool
from picsellia_jupyter.serving.preparing import Preparation
from picsellia_jupyter.serving.status import StatusBoard
from picsellia_jupyter.wire.predictions import Json

WARM_S = 600.0
"""The champion before is kept loaded for so long, so that a way back takes no time."""
_STILL_ASKED_S = PREDICT_TIMEOUT_S + 5.0
"""No request that was given a champion's pool is under way for longer."""
_RETRY_S = 5.0
_DRAIN_S = 5.0
_USABLE = (ServingState.READY, ServingState.DEGRADED)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Champion:
    """A model version in workers that are ready."""

    pool: Pool
    version: ModelVersion


@dataclass(slots=True)
class _Leaving:
    """What was champion: kept loaded until a moment of the monotonic clock."""

    preparation: Preparation
    asked_until: float
    until: float


class Succession:
    """The champion of one serving kernel, and those before and after it.

    Another version is downloaded, loaded and tried beside the one that predicts; requests go to
    it from the moment it is ready. Where it cannot be loaded, nothing changes and `trouble`
    says why.
    """

    def __init__(
        self,
        job: ServingJob,
        board: StatusBoard,
        connect: Connect,
        on_state: Callable[[ServingState, str], None],
        on_line: Callable[[str, str], None],
    ) -> None:
        """Begin with the version of the job, which `current.run` prepares.

        Args:
            job: what to serve first, and how.
            board: where the first preparation tells its steps.
            connect: makes connections to the platform.
            on_state: told how the champion's workers are, whenever that changes.
            on_line: told who says what: `worker` and its lines, `champion` and what happens.
        """
        self._job, self._connect = job, connect
        self._on_state, self._on_line = on_state, on_line
        self.on_switched: Callable[[ModelVersion], None] = lambda _version: None
        """Told of each new champion, once requests go to it."""
        self.current = self._preparation(job, board)
        """What predicts, or is prepared to be the first."""
        self.failed: FailedSwitch | None = None
        """The version that was wanted last and cannot be had; None where all is well."""
        self.trouble = ""
        """Why the champion is not the one that is wanted; kept until one takes over."""
        self._coming: tuple[Preparation, StatusBoard] | None = None
        self._wanted: str | None = None
        self._leaving: list[_Leaving] = []
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def champion(self) -> Champion:
        """What a request is predicted on with.

        Raises:
            NotServingError: no model is loaded yet.
        """
        current = self.current
        if current.pool is None or current.version is None:
            raise NotServingError("No model is loaded.", "Wait for the kernel to be ready.")
        return Champion(current.pool, current.version)

    @property
    def pressure(self) -> float:
        """Photos under way for each of the champion's workers."""
        pool = self.current.pool
        return pool.pressure if pool else 0.0

    def report(self) -> Json:
        """How it is: what predicts, what is wanted, what is kept, and why it differs."""
        version, coming = self.current.version, self._coming
        return {
            "model_version_id": version.id if version else None,
            "title": version.title if version else None,
            "wanted": self._wanted,
            "coming": coming[1].now.in_words() if coming else None,
            "trouble": self.trouble,
            "warm": [one.preparation.version.title for one in self._kept()],  # type: ignore[union-attr]
        }

    def follow(self, version_id: str | None) -> None:
        """Have this version predict, as soon as it can; returns at once.

        Args:
            version_id: of the deployment's champion; None where the platform does not say.
        """
        if version_id is None or version_id == self._wanted:
            return
        with self._changed:
            if self._closed:
                return
            self._wanted = version_id
            if self.failed and self.failed.version_id != version_id:
                self.failed = None
            if self._thread is None:
                if self._serves(version_id):
                    return
                self._thread = threading.Thread(target=self._run, name="succession", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def close(self) -> None:
        """Load nothing more and end all workers but the champion's own."""
        with self._changed:
            self._closed = True
            leaving, self._leaving = self._leaving, []
            coming = self._coming
            self._changed.notify_all()
        if coming:
            coming[1].set(state=ServingState.STOPPED)
            _end(coming[0])
        for one in leaving:
            # Requests that came before the last change are answered by those they were given to.
            if one.preparation.pool:
                one.preparation.pool.drain(_DRAIN_S)
            _end(one.preparation)

    # The thread that loads -----------------------------------------------------------------

    def _run(self) -> None:
        while self._wait():
            self._end_leavers(time.monotonic())
            if self._has_to_change:
                self._change(str(self._wanted))

    def _wait(self) -> bool:
        """Wait for something to do; False when nothing is to be done any more."""
        with self._changed:
            left = [one.until for one in self._leaving]
            timeout_s = max(0.0, min(left) - time.monotonic()) if left else None
            self._changed.wait_for(lambda: self._closed or self._has_to_change, timeout_s)
            return not self._closed

    @property
    def _has_to_change(self) -> bool:
        wanted = self._wanted
        refused = self.failed is not None and self.failed.version_id == wanted
        return wanted is not None and not refused and not self._serves(wanted)

    def _serves(self, version_id: str) -> bool:
        version = self.current.version
        return version is not None and version.id == version_id

    def _change(self, version_id: str) -> None:
        try:
            self._take_over(self._warm(version_id) or self._load(version_id))
        except PlatformUnreachableError as error:
            self.trouble = f"The champion {version_id} is not loaded yet: {error}"
            self._pause(_RETRY_S)
        except Exception as error:  # noqa: BLE001 - told in the heartbeat; the champion goes on
            if self._closed:
                return
            _log.info("The champion %s could not be loaded", version_id, exc_info=True)
            self._refuse(version_id, str(error) or type(error).__name__)

    def _warm(self, version_id: str) -> Preparation | None:
        """The version, where it was champion lately and is loaded still."""
        with self._changed:
            for one in self._leaving:
                version, pool = one.preparation.version, one.preparation.pool
                if version and version.id == version_id and pool and pool.state[0] in _USABLE:
                    self._leaving.remove(one)
                    return one.preparation
        return None

    def _load(self, version_id: str) -> Preparation:
        """Download, load and try a version beside the champion."""
        # Three models at once would be one too many: what is kept for a way back makes room.
        with self._changed:
            for one in self._leaving:
                one.until = one.asked_until
        self._end_leavers(time.monotonic())
        told = StatusBoard(lambda status: self._on_line("champion", f"next: {status.in_words()}"))
        made = self._preparation(dataclasses.replace(self._job, model_version_id=version_id), told)
        with self._changed:
            self._coming = made, told
            if self._closed:
                told.set(state=ServingState.STOPPED)
        try:
            made.run(self._connect())
        except BaseException:
            _end(made)
            raise
        finally:
            self._coming = None
        return made

    def _take_over(self, coming: Preparation) -> None:
        version = coming.version
        assert version is not None  # noqa: S101 - it has run
        with self._changed:
            unwanted = self._closed or self._wanted != version.id
            if not unwanted:
                now = time.monotonic()
                gone = _Leaving(self.current, now + _STILL_ASKED_S, now + WARM_S)
                self._leaving.append(gone)
                self.current, self.failed, self.trouble = coming, None, ""
        if unwanted:
            _end(coming)
            return
        self._on_line("champion", f"{version.title} predicts from now on")
        self.on_switched(version)
        if coming.pool:
            self._on_state(*coming.pool.state)

    def _refuse(self, version_id: str, why: str) -> None:
        version = self.current.version
        stays = version.title if version else "the one before"
        with self._changed:
            if self._wanted == version_id:
                self.failed = FailedSwitch(version_id, why)
            self.trouble = f"A new champion could not be loaded, {stays} goes on: {why}"
        self._on_line("champion", self.trouble)
        if self.current.pool:
            self._on_state(*self.current.pool.state)

    def _end_leavers(self, now: float) -> None:
        with self._changed:
            ended = [one for one in self._leaving if one.until <= now]
            self._leaving = [one for one in self._leaving if one.until > now]
        for one in ended:
            _end(one.preparation)

    def _kept(self) -> list[_Leaving]:
        return [one for one in list(self._leaving) if one.preparation.version]

    def _pause(self, seconds: float) -> None:
        with self._changed:
            wanted = self._wanted
            self._changed.wait_for(lambda: self._closed or self._wanted != wanted, seconds)

    def _preparation(self, job: ServingJob, board: StatusBoard) -> Preparation:
        def heard(state: ServingState, reason: str) -> None:
            # What only waits to take over, or is kept for a way back, is nobody's state.
            if self.current is made:
                self._on_state(state, reason)

        made = Preparation(job, board, heard, lambda line: self._on_line("worker", line))
        return made


def _end(preparation: Preparation) -> None:
    if preparation.pool:
        preparation.pool.stop()
