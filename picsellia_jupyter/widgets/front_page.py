"""Whether somebody looks at a kernel's outputs in a page that shows widgets."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

TARGET = "picsellia.page"


class FrontPage:
    """Asks by a comm that no page knows: pages refuse it at once, programs never answer."""

    def __init__(self, on_page: Callable[[], None]) -> None:
        """Ask nobody yet.

        Args:
            on_page: called once, as soon as a page has answered in whatever way.
        """
        self._on_page = on_page
        self._lock = threading.Lock()
        self._answered = False

    def ask(self) -> None:
        """Ask; there may never be an answer."""
        from comm import create_comm

        # Callbacks first: a page answers at once.
        comm: Any = create_comm(target_name=TARGET, primary=False)
        comm.on_msg(lambda _message: self._answer())
        comm.on_close(lambda _message: self._answer())
        comm.open()

    def _answer(self) -> None:
        with self._lock:
            first, self._answered = not self._answered, True
        if first:
            self._on_page()
