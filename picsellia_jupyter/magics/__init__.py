"""What a user types in a cell; each magic is one call on the session."""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from picsellia_jupyter.magics.extension import Extension

_ATTRIBUTE = "_picsellia_jupyter"


def register(shell: InteractiveShell) -> Extension:
    """Add the magics to a shell, with one session for all of them."""
    from picsellia_jupyter.magics.extension import Extension

    unregister(shell)
    extension = Extension(shell)
    extension.register()
    setattr(shell, _ATTRIBUTE, extension)
    return extension


def unregister(shell: InteractiveShell) -> None:
    """Take the magics away; deployments go on."""
    extension: Extension | None = shell.__dict__.pop(_ATTRIBUTE, None)
    if extension is not None:
        extension.unregister()


def warm_up() -> None:
    """Import in the background what the deploy form takes, for a page that may soon open it."""

    def read() -> None:
        importlib.import_module("picsellia_jupyter.session")
        importlib.import_module("picsellia_jupyter.widgets.deploy_modal")

    threading.Thread(target=read, name="picsellia-warm-up", daemon=True).start()


def open_deploy_form(
    model: str | None = None,
    *,
    cell: bool = True,
    threshold: float | None = None,
    on: str | None = None,
) -> None:
    """Open the form of a bare `%deploy` in the running kernel, for buttons and menus.

    Args:
        model: chosen beforehand: `digits-detector` or `digits-detector:0`.
        cell: whether a cell runs that it may be shown under; without one a page must show it.
        threshold: that the form starts with.
        on: the place that it starts with.
    """
    from IPython.core.getipython import get_ipython

    from picsellia_jupyter.magics.shells import ShellKernel
    from picsellia_jupyter.widgets.deploy_form import DeployForm
    from picsellia_jupyter.widgets.deploy_modal import DeployModal

    shell: Any = get_ipython()
    extension: Extension = shell.__dict__.get(_ATTRIBUTE) or register(shell)
    usual = DeployForm()
    chosen = DeployForm(
        model=model or "",
        threshold=usual.threshold if threshold is None else threshold,
        place=on or "",
    )
    DeployModal(extension.session, ShellKernel(shell), chosen=chosen, has_cell=cell).open()
