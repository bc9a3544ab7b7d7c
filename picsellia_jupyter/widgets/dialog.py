"""Asks the page to show a widget in a dialog of its own.

JupyterLab and Notebook 7 do, where our extension is installed; nobody else answers, and the
widget is then shown under its cell. The kernel opens a comm of the target `picsellia.dialog`:

    kernel → page  comm_open  {"open": true, "id", "model_id", "title", "kind"}
    page → kernel             {"ready": true}        the dialog shows the widget
                              {"cancelled": true}    the user has closed it
                              {"cancel": true}       the same after a click on Deploy: it stays open
                              {"reattach": true}     the page was loaded anew; it gets `open` again
    kernel → page             {"busy": bool}         whether it deploys; after each click on Deploy
                              {"insert": source}     insert a cell below, run nothing
                              {"close": true, "id", "outcome", "card", "line", "name"}

`id` is also in the metadata of the cell's output (`{"picsellia": {"id"}}`), so that a page that was
loaded anew can put `card` in its place. A page without the extension closes the comm at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

TARGET = "picsellia.dialog"
PATIENCE_S = 1.0
SECOND_GLANCE_S = 0.4
"""A kernel that was busy has the page's answer among what it reads next; so it looks twice."""


class Loop(Protocol):
    """The kernel's own event loop; may be called from any thread."""

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something on the kernel's main thread, once it is free."""


class Dialog:
    """One dialog that is asked for, shown or refused."""

    def __init__(
        self,
        opening: Mapping[str, str],
        loop: Loop,
        *,
        on_refused: Callable[[], None],
        on_ready: Callable[[], None],
        on_cancel: Callable[[], None],
    ) -> None:
        """Ask nobody yet.

        Args:
            opening: `id`, `model_id`, `title` and `kind`.
            loop: of the kernel.
            on_refused: called once where no page shows it.
            on_ready: called when it is shown.
            on_cancel: called when the user has closed it.
        """
        self._opening = {"open": True, **opening}
        self._loop = loop
        self._on_refused = on_refused
        self._on_ready = on_ready
        self._on_cancel = on_cancel
        self._lock = threading.Lock()
        self._comm: Any = None
        self._settled = False
        self._is_busy = False
        self._is_left = False

    def say_busy(self, is_busy: bool) -> None:
        """Whether it deploys, and so cannot be closed at once, until it is said otherwise."""
        self._is_busy = is_busy
        self.send(busy=is_busy)

    @property
    def is_shown(self) -> bool:
        """Whether a page shows it now."""
        return self._comm is not None and self._settled

    @property
    def is_left(self) -> bool:
        """Whether the user has closed it."""
        return self._is_left

    def open(self) -> None:
        """Ask; one of the three callbacks follows."""
        from comm import create_comm

        # Callbacks first: a page that does not know the target answers at once.
        comm: Any = create_comm(target_name=TARGET, primary=False)
        comm.on_msg(self._on_message)
        comm.on_close(lambda _message: self._refuse())
        self._comm = comm
        comm.open(data=self._opening)
        self._loop.later(PATIENCE_S, lambda: self._loop.later(SECOND_GLANCE_S, self._refuse))

    def send(self, **data: Any) -> None:
        """Tell the page; nothing where no page shows it."""
        if self.is_shown:
            self._comm.send(data=data)

    def close(self, **data: Any) -> None:
        """Have the page close it."""
        comm, self._comm = self._comm, None
        if comm is not None:
            comm.send(data={"close": True, "id": self._opening["id"], **data})
            comm.close()

    def _on_message(self, message: Mapping[str, Any]) -> None:
        data = message["content"]["data"]
        if data.get("ready") and self._settle():
            self._on_ready()
        elif data.get("reattach") and self._comm is not None:
            self._settle()
            self._comm.send(data=self._opening)
            self._comm.send(data={"busy": self._is_busy})
        elif data.get("cancelled") or data.get("cancel"):
            self._is_left = bool(data.get("cancelled"))
            self._on_cancel()

    def _refuse(self) -> None:
        if self._settle():
            self._comm = None
            self._on_refused()

    def _settle(self) -> bool:
        """Whether it was not known until now how this goes on."""
        with self._lock:
            first, self._settled = not self._settled, True
        return first
