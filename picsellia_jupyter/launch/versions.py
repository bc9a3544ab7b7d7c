"""Code for a kernel elsewhere, which runs it only with this version of the package."""

from __future__ import annotations

import sys
import textwrap


def own() -> str:
    """The version of this package."""
    # Not imported: the package's own module names the session, which is above.
    return str(sys.modules[__name__.partition(".")[0]].__version__)


def guarded(code: str) -> str:
    """Code that says `other_version` in `_picsellia_json` instead where versions differ."""
    return (
        "import json as _json\n"
        "import picsellia_jupyter as _package\n"
        f"if _package.__version__ != {own()!r}:\n"
        "    _picsellia_json = _json.dumps({'other_version': _package.__version__})\n"
        "else:\n" + textwrap.indent(code, "    ")
    )
