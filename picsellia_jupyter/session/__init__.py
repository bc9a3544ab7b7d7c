"""The Python API: every verb the magics have, for scripts and notebooks alike."""

from picsellia_jupyter.session.session import Session

__all__ = ["Session"]
