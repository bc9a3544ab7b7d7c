"""What a user types in a cell; each magic is one call on the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
