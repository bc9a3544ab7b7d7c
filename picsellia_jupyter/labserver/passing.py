"""What passes from a client of the proxy to a front, and back. Nothing else does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

from picsellia_jupyter.clients.http_exchange import Headers
from picsellia_jupyter.domain.errors import InvalidInputError

AUTHORIZATION = "x-picsellia-authorization"
"""Says what the front is to see as `Authorization`; that header itself is for Jupyter."""

_INWARD = frozenset(
    (
        "accept", "accept-encoding", "accept-language", "cache-control", "content-encoding",
        "content-length", "content-type", "idempotency-key", "if-match",
        "if-modified-since", "if-none-match", "if-range", "if-unmodified-since",
        "inference-header-content-length", "prefer", "range", "traceparent", "tracestate",
        "user-agent", "x-request-id",
    )
)  # fmt: skip
_OUTWARD = frozenset(
    (
        "accept-ranges", "cache-control", "content-disposition", "content-encoding",
        "content-language", "content-length", "content-range", "content-type", "etag",
        "inference-header-content-length", "last-modified", "preference-applied", "retry-after",
        "server-timing", "vary", "x-request-id",
    )
)  # fmt: skip
_PLAIN = re.compile(r"[!-~]*")
_ADDRESS = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]{0,4})")


def inward(headers: Iterable[tuple[str, str]]) -> Headers:
    """The headers that a front is to see.

    Neither cookies nor tokens of the Jupyter server, nor what proxies and browsers add.

    Raises:
        InvalidInputError: there are several authorizations for the front.
    """
    lowered = [(name.lower(), value) for name, value in headers]
    given = [value for name, value in lowered if name == AUTHORIZATION]
    if len(given) > 1:
        raise InvalidInputError(
            "There are several X-Picsellia-Authorization headers.", "Send only one."
        )
    passed = tuple(pair for pair in lowered if pair[0] in _INWARD)
    return passed + tuple(("authorization", value) for value in given)


def outward(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The headers of a front's reply that a client is to see; no cookies."""
    return ((name, value) for name, value in headers if name.lower() in _OUTWARD)


def target(uri: str, prefix: str) -> str:
    """What to ask a front for: path and query as they came, behind our own part.

    Args:
        uri: of the request line.
        prefix: `{base_url}picsellia/serving/{kernel_id}`, as in the request line.

    Raises:
        InvalidInputError: it could mean another place than it says.
    """
    path, mark, query = uri.removeprefix(prefix).partition("?")
    if not uri.startswith(f"{prefix}/") or not _PLAIN.fullmatch(uri) or "#" in uri:
        raise _unclear()
    decoded = unquote_to_bytes(path)
    hidden = any(byte < 0x20 or byte == 0x7F for byte in decoded) or b"\\" in decoded
    if hidden or decoded.count(b"/") != path.count("/"):
        raise _unclear()
    if any(part in (b".", b"..") for part in decoded.split(b"/")):
        raise _unclear()
    return f"{path}{mark}{query}"


def port(address: str) -> int:
    """The loopback port of a front.

    Raises:
        InvalidInputError: it is no such address.
    """
    match = _ADDRESS.fullmatch(address)
    number = int(match[1]) if match else 0
    if not 0 < number < 65536:
        raise InvalidInputError("The kernel's lease names no loopback address.", "Deploy again.")
    return number


def _unclear() -> InvalidInputError:
    return InvalidInputError(
        "The path holds '..', an encoded slash, a backslash or a control character.",
        "Ask for the front's path as it is documented.",
    )
