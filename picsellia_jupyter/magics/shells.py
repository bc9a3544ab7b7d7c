"""The kernel of a shell, as a form needs it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


class ShellKernel:
    """The event loop and the cells of an ipykernel; only made where there is one."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._events: Any = shell.events
        self._loop: Any = shell.kernel.io_loop  # type: ignore[attr-defined]

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something on the main thread, once it is free and so many seconds have passed."""
        self._loop.add_callback(self._loop.call_later, seconds, call)

    def watch(self, begins: Callable[[], None], ends: Callable[[], None]) -> Callable[[], None]:
        """Have both called as cells begin and end, until what is returned is called."""

        def begun(*_info: object) -> None:
            begins()

        def ended(*_info: object) -> None:
            ends()

        self._events.register("pre_run_cell", begun)
        self._events.register("post_run_cell", ended)

        def stop() -> None:
            for event, call in (("pre_run_cell", begun), ("post_run_cell", ended)):
                if call in self._events.callbacks[event]:
                    self._events.unregister(event, call)

        return stop
