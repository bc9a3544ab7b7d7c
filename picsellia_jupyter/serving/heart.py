"""The heartbeat: tells the platform how the serving kernel is, and hears what holds now."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

from picsellia_jupyter.domain.deployments import Heartbeat
from picsellia_jupyter.domain.errors import (
    ConflictError,
    NotFoundError,
    PicselliaJupyterError,
    PlatformUnreachableError,
    ServingError,
)
from picsellia_jupyter.serving.platform import Connect, Platform

FIRST_BEAT_S = 20.0
_INTERVAL_S = 2.0

_log = logging.getLogger(__name__)


class Heart:
    """Tells the platform every few seconds how the serving kernel is.

    The first heartbeat takes the deployment over from whichever kernel served it before.
    """

    def __init__(
        self,
        connect: Connect,
        deployment_id: str,
        describe: Callable[[], Heartbeat],
        on_gone: Callable[[PicselliaJupyterError], None],
        on_models: Callable[[str | None, str | None], None] = lambda _champion, _shadow: None,
        on_paused: Callable[[str], None] = lambda _why: None,
        *,
        claims: bool = True,
    ) -> None:
        """Begin to beat.

        Args:
            connect: makes this thread's own connection.
            deployment_id: whose kernel this is.
            describe: the state at the moment.
            on_gone: called once when the deployment does not exist any more, or another
                kernel has taken it over.
            on_models: told which model versions are to be champion and shadow, after every
                heartbeat.
            on_paused: told why it must not predict now, after every heartbeat; empty if it may.
            claims: whether the first heartbeat takes the deployment over from another kernel;
                one that was started anew must not take it from whoever serves it since.
        """
        self.threshold: float | None = None
        """The deployment's threshold, as the platform last said."""
        self._first: Future[None] = Future()
        self._connect = connect
        self._deployment_id = deployment_id
        self._describe = describe
        self._on_gone = on_gone
        self._on_models = on_models
        self._on_paused = on_paused
        self._platform: Platform | None = None
        self._now = threading.Event()
        self._stopping = False
        self._claims = claims
        self._thread = threading.Thread(target=self._run, name="heart", daemon=True)
        self._thread.start()

    def wait_for_first(self, timeout_s: float) -> None:
        """Wait until the platform has taken the first heartbeat.

        Raises:
            NotFoundError: it knows no such deployment.
            PlatformUnreachableError: it does not answer.
            ServingError: the heartbeat failed otherwise.
        """
        # `wait` and not `result`: Python 3.10 raises a TimeoutError there that is not the
        # builtin one, and the platform's answer may be a TimeoutError too.
        if not wait([self._first], timeout_s).done:
            raise PlatformUnreachableError(
                f"The platform took no heartbeat within {timeout_s:g} s.", "Is it running?"
            )
        error = self._first.exception()
        if isinstance(error, PicselliaJupyterError):
            raise error
        if error is not None:
            raise ServingError(
                f"The first heartbeat failed: {type(error).__name__}: {error}"
            ) from error

    def beat_now(self) -> None:
        """Do not wait for the next interval: the state has changed."""
        self._now.set()

    def stop(self, timeout_s: float = 3.0) -> None:
        """Tell the last state and end."""
        self._stopping = True
        self._now.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        interval_s = _INTERVAL_S
        last = False
        while not last:
            self._now.clear()
            last = self._stopping
            try:
                interval_s = self._beat()
            except (NotFoundError, ConflictError) as error:
                self._end(error, last=last)
                return
            except Exception as error:  # noqa: BLE001 - the platform may answer the next one
                self._platform = None
                self._fail_first(error)
                _log.info("No heartbeat was taken: %s", error)
            if not last:
                self._now.wait(interval_s)

    def _beat(self) -> float:
        if self._platform is None:
            self._platform = self._connect()
        if self._stopping and not self._serves:
            return _INTERVAL_S  # what was never ours must not be taken from another kernel now
        beat = dataclasses.replace(self._describe(), claim=self._claims and not self._first.done())
        reply = self._platform.heartbeat(self._deployment_id, beat)
        self.threshold = reply.threshold
        self._on_models(reply.champion_version_id, reply.shadow_version_id)
        self._on_paused(reply.paused)
        if not self._first.done():
            self._first.set_result(None)
        return reply.interval_s

    def _end(self, error: PicselliaJupyterError, *, last: bool) -> None:
        if self._serves and not last:
            self._on_gone(error)
        self._fail_first(error)

    @property
    def _serves(self) -> bool:
        """Whether the platform has taken a heartbeat."""
        return self._first.done() and self._first.exception() is None

    def _fail_first(self, error: Exception) -> None:
        if not self._first.done():
            self._first.set_exception(error)
