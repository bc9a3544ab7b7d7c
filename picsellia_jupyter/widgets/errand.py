"""Has things done with a deployment by a thread that has a connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from picsellia_jupyter.widgets.worker import Worker

if TYPE_CHECKING:
    from picsellia_jupyter.handles.deployment import Deployment

Act = Callable[["Deployment"], None]


class Errands:
    """One thread and one handle, made when there is first something to do."""

    def __init__(
        self,
        make: Callable[[], Deployment],
        name: str,
        *,
        failed: Callable[[Exception], None],
    ) -> None:
        """Begin nothing yet.

        Args:
            make: gives the handle for the thread; it may fail, and is then asked again.
            name: of the thread.
            failed: told of what went wrong and was caught nowhere else.
        """
        self._make = make
        self._worker = Worker(f"picsellia-{name}")
        self._deployment: Deployment | None = None
        self._failed = failed
        self._ended = False

    def do(self, act: Act) -> None:
        """Do this after everything that was asked for before."""
        self._worker.submit(lambda: self._done(act))

    def end(self) -> None:
        """Do nothing more."""
        self._ended = True
        self._worker.end()

    def _done(self, act: Act) -> None:
        if self._ended:
            return
        try:
            if self._deployment is None:
                self._deployment = self._make()
            act(self._deployment)
        except Exception as error:  # noqa: BLE001 - shown in the panel, whatever it is
            self._failed(error)
