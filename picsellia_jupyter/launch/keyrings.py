"""Tokens in the system's keyring, where the package `keyring` is installed."""

from __future__ import annotations

KEYRING_SERVICE = "picsellia_jupyter"


def stored(address: str) -> str:
    """The token that is kept for an address; empty where there is none."""
    try:
        import keyring

        return keyring.get_password(KEYRING_SERVICE, address) or ""
    except Exception:  # noqa: BLE001 - there is none, it is locked, or it has no backend
        return ""


def keep(address: str, token: str) -> None:
    """Keep a token that was accepted, where that is possible."""
    try:
        import keyring

        keyring.set_password(KEYRING_SERVICE, address, token)
    except Exception:  # noqa: BLE001 - as above; the token is good for this session
        return
