"""Which release of this package runs."""

from __future__ import annotations

import sys


def version() -> str:
    """Its version, also where its files lie somewhere without having been installed.

    The package is loaded; importing it by name would import the notebook's side.
    """
    return str(sys.modules[__name__.partition(".")[0]].__version__)
