"""Removes from a text what nobody else may read, before it goes into a bug report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import quote

REMOVED = "[removed]"
SHORTEST = 6
"""Characters; a shorter value of a variable, such as `1` or `true`, is no secret."""

_CALLED = r"token|secret|passw|pwd|credential|auth|signature|key"
_FOLDERS = ("PWD", "OLDPWD")
"""Variables of a shell that are called like a password."""
_NAMED = re.compile(_CALLED, re.IGNORECASE)
_USER = re.compile(r"([A-Za-z][\w+.-]*://)[^\s'\"<>]+@|(?<![^\s'\"(=,])[^\s/:@]+:[^\s@]+@")
"""Before the host of an address, with and without its scheme; `python@3.11` in a path is none."""
_BEFORE_HOST = re.compile(r"(?:://|^(?![^\s:]+://))([^\s/:@]+:[^\s]*)@")
_VALUE = re.compile(
    rf"([\w-]*(?:{_CALLED})[\w-]*(?:=|%3D|[\"']\s*:\s*[\"']?))[^\s&\"',;]+", re.IGNORECASE
)
_HEADER = re.compile(
    r"\b(bearer\s+|basic\s+|token\s+(?=[^\s]*\d))[\w.~+/=-]{8,}(?![\w.~+/=-])", re.IGNORECASE
)
_SHAPES = re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?|\b[0-9a-fA-F]{32,}\b")
"""Signed tokens of the web, and long numbers in hexadecimal, as API tokens are."""


class Redaction:
    """Called with a text, it gives the same without secrets and without the home directory."""

    def __init__(self, secrets: Iterable[str], homes: Iterable[str]) -> None:
        """Prepare for many texts.

        Args:
            secrets: that are known; also removed as they stand in a URL.
            homes: paths of the user's home directory, which become `~`.
        """
        known = {one for one in secrets if len(one) >= SHORTEST}
        known |= {quote(one, safe="") for one in known}
        # The longest first: one may hold another.
        self._secrets = sorted(known, key=len, reverse=True)
        self._homes = sorted({one for one in homes if len(one) > 1}, key=len, reverse=True)

    def __repr__(self) -> str:
        return f"Redaction({len(self._secrets)} secrets)"

    def __call__(self, text: str) -> str:
        """The text as others may read it."""
        for secret in self._secrets:
            text = text.replace(secret, REMOVED)
        text = _USER.sub(lambda found: found[1] or "", text)
        text = _VALUE.sub(rf"\1{REMOVED}", text)
        text = _HEADER.sub(rf"\1{REMOVED}", text)
        text = _SHAPES.sub(REMOVED, text)
        for home in self._homes:
            text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
        return text


def secrets_in(environment: Mapping[str, str]) -> set[str]:
    """Values of variables that are called like secrets, and what stands before an address's `@`."""
    found: set[str] = set()
    for name, value in environment.items():
        if _NAMED.search(name) and name not in _FOLDERS:
            found |= {value.strip(), *(line.strip() for line in value.splitlines())}
        for user in _BEFORE_HOST.findall(value):
            found |= {user, user.partition(":")[2]}
    return found
