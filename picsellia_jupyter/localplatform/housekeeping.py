"""What the platform does by itself while it runs, every few seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType

from typing_extensions import Self

from picsellia_jupyter.localplatform.folding import fold_on
from picsellia_jupyter.localplatform.outliers import score_new
from picsellia_jupyter.localplatform.platform import Platform
from picsellia_jupyter.localplatform.starting import Starter
from picsellia_jupyter.localplatform.triggers import pull_triggers
from picsellia_jupyter.localplatform.watching import watch
from picsellia_jupyter.localplatform.webhooks import deliver

logger = logging.getLogger(__name__)
EVERY_S = 2.0
PATIENCE_S = 5.0
"""Seconds that a chore gets at the end; one that is cut off is done again the next time."""

Chore = Callable[[], object]
"""Does some work and returns soon; it is called again."""


def chores(here: Platform) -> tuple[Chore, ...]:
    """What a platform has to do by itself, with its database alone."""
    return partial(fold_on, here), partial(watch, here), partial(pull_triggers, here)


def errands(here: Platform) -> tuple[Chore, ...]:
    """What may wait for others: buckets, webhooks, and programs that start."""
    return partial(score_new, here), partial(deliver, here), Starter(here)


class Housekeeping:
    """Runs chores in turn in a thread of its own, from entering to leaving."""

    def __init__(self, chores: Sequence[Chore], *, every_s: float = EVERY_S) -> None:
        """Run these chores each `every_s` seconds."""
        self._chores, self._every_s = tuple(chores), every_s
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        """Let the chore that runs finish, but do not wait for others' servers."""
        self._ending.set()
        self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        while not self._ending.wait(self._every_s):
            for chore in self._chores:
                if self._ending.is_set():
                    return
                try:
                    chore()
                except Exception:
                    # The next time may go well; the others are not to suffer.
                    logger.exception("A chore of the platform failed.")
