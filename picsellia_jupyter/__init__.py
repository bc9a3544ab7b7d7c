"""Deploy, serve, look at and monitor Picsellia model versions from a notebook.

    %load_ext picsellia_jupyter
    %deploy digits-detector --threshold 0.3
    %predict page.jpg

The same verbs without magics are methods of `Session`. Names are loaded on first use, so that
importing the package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from picsellia_jupyter.domain.errors import PicselliaJupyterError
    from picsellia_jupyter.domain.reviews import Shape
    from picsellia_jupyter.handles.deployment import Deployment
    from picsellia_jupyter.handles.predictions import Predictions
    from picsellia_jupyter.session import Session
    from picsellia_jupyter.session.monitoring import monitor

__version__ = "0.1.0"

__all__ = [
    "Deployment",
    "PicselliaJupyterError",
    "Predictions",
    "Session",
    "Shape",
    "__version__",
    "monitor",
]

_HOMES = {
    "Deployment": "picsellia_jupyter.handles.deployment",
    "PicselliaJupyterError": "picsellia_jupyter.domain.errors",
    "Predictions": "picsellia_jupyter.handles.predictions",
    "Session": "picsellia_jupyter.session",
    "Shape": "picsellia_jupyter.domain.reviews",
    "monitor": "picsellia_jupyter.session.monitoring",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Register the magics: `%load_ext picsellia_jupyter`."""
    from picsellia_jupyter.magics import register

    register(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Take the magics away again: `%unload_ext picsellia_jupyter`."""
    from picsellia_jupyter.magics import unregister

    unregister(shell)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    return [{"src": "labextension", "dest": "picsellia-jupyter"}]
