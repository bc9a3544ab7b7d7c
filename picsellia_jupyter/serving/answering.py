"""Answers calls, each of them once, and counts what became of them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

from picsellia_jupyter.domain.errors import DeadlineError, PicselliaJupyterError, ServingError
from picsellia_jupyter.serving.calls import Call
from picsellia_jupyter.serving.channel import Message
from picsellia_jupyter.serving.metering import Meter

SEND_AGAIN = "Send the image again in a while."
_SMOOTHING = 0.05

_log = logging.getLogger(__name__)


class Answering:
    """Hands answers to those who wait for them. Thread-safe."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._lock = threading.Lock()
        self._last = 0.0
        self.each_s = 0.0
        """Seconds from one answer to the next, of late, while there was something to answer."""

    def settle(self, call: Call, message: Message) -> None:
        """Answer a call with what a worker said, unless it is answered already."""
        with self._lock:
            self._note(call)
            if not call.claim():
                return
        try:
            reply = call.read(message)
        except PicselliaJupyterError as error:
            self._fail(call, error)
        except Exception as error:  # noqa: BLE001 - it fails this call only
            _log.error("An image could not be answered", exc_info=error)
            self._fail(call, _mistake(error))
        else:
            self._meter.answered(call, reply)
            call.reply.set_result(reply)

    def fail(self, calls: Iterable[Call], error: Exception) -> int:
        """Answer calls with an error, where they are not answered yet; how many these were."""
        with self._lock:
            mine = [call for call in calls if call.claim()]
        for call in mine:
            self._fail(call, error)
        return len(mine)

    def fail_late(self, call: Call, why: str) -> None:
        """Answer a call that is past its deadline."""
        what = repr(call.name) if call.name else "These tensors"
        fact = f"{what} had no answer after {call.timeout_s:g} s: {why}."
        self._meter.count("late", self.fail([call], DeadlineError(fact, SEND_AGAIN)))

    def _fail(self, call: Call, error: Exception) -> None:
        self._meter.count("failed")
        call.fail(error)

    def _note(self, call: Call) -> None:
        now = time.monotonic()
        took_s = now - max(self._last, call.began or now)
        self.each_s += _SMOOTHING * (took_s - self.each_s)
        self._last = now


def _mistake(error: Exception) -> ServingError:
    return ServingError(
        f"The image could not be answered: {type(error).__name__}: {error}",
        "The serving kernel's log tells more.",
    )
