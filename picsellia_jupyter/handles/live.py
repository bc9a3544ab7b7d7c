"""One output that is drawn anew in place while something goes on."""

from __future__ import annotations

import sys
import time
from typing import Any

REFRESH_S = 0.25


class LiveOutput:
    """Shows how far something is: in place in a notebook, and not at all elsewhere."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._drawn = float("-inf")
        self.live = in_a_kernel()

    def show(self, html: str, text: str, *, last: bool = False) -> None:
        """Draw it, at most four times a second; the last one always."""
        if not self.live or (not last and time.monotonic() - self._drawn < REFRESH_S):
            return
        from IPython.display import display

        self._drawn = time.monotonic()
        bundle = {"text/html": html, "text/plain": text}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(bundle, raw=True)


def in_a_kernel() -> bool:
    """Whether this process is a notebook's kernel."""
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
