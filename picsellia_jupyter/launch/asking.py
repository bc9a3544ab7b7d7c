"""Asks the user for a secret, where there is somebody to ask."""

from __future__ import annotations

import getpass
import sys
import threading


def for_secret(text: str) -> str | None:
    """What the user answers, unseen; None where nobody can be asked."""
    if not _is_interactive():
        return None
    try:
        return getpass.getpass(text)
    except (EOFError, OSError):
        return None
    except Exception as error:
        # ipykernel's own, where a notebook is run by a program that takes no questions.
        if type(error).__name__ == "StdinNotImplementedError":
            return None
        raise


def _is_interactive() -> bool:
    if threading.current_thread() is not threading.main_thread():
        # A form's work: its answer would go to whatever cell runs just then.
        return False
    if "ipykernel" in sys.modules:
        from ipykernel.kernelapp import IPKernelApp

        if IPKernelApp.initialized():
            return True
    return sys.stdin is not None and sys.stdin.isatty()
