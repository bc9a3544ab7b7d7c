"""HTTP over a kernel's control channel: what a notebook and a serving kernel say to each other.

A request and its reply are an *exchange*. Each is a row of numbered messages, bodies in pieces
of at most 1 MiB, so that they pass the frame limit of Jupyter servers (10 MiB) and gateways.
The first message of a row has number 0. A receiver takes a message only if its number is
the next one, and acknowledges now and then; so a sender can say everything again after the
connection broke, and nothing runs or arrives twice.

Every message but `Hello` bears the kernel's *incarnation*, which is new at each start: what
was queued for a kernel that is gone is not run by the one that took its place.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.wire.predictions import Json

REQUEST = "picsellia_http_request"
"""Type of the Jupyter messages to the kernel."""
REPLY = "picsellia_http_reply"
"""Type of the Jupyter messages to the notebook."""
PIECE_BYTES = 1024 * 1024

STALE = 421
"""The status of a refusal that is due to the incarnation alone."""

Headers = tuple[tuple[str, str], ...]
"""Names in small letters and values, both Latin-1 text."""

_HOP_BY_HOP = frozenset(
    (
        "connection", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization",
        "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hello:
    """To the kernel: who are you?"""


@dataclass(frozen=True, slots=True)
class Welcome:
    """From the kernel: what answers here."""

    incarnation: str
    address: str
    """Of the front, `http://127.0.0.1:PORT` on the kernel's own machine."""
    version: str
    """Of this package there."""


@dataclass(frozen=True, slots=True)
class Open:
    """To the kernel: a request, with the first piece of its body. It has number 0."""

    id: str
    incarnation: str
    deadline_s: float
    """Seconds after which the exchange may be dropped if neither side said anything."""
    method: str
    target: str
    """Path and query as they came."""
    headers: Headers
    body: bytes
    more: bool
    closed: tuple[str, ...] = ()
    """Earlier ones of which nothing need be kept any more."""


@dataclass(frozen=True, slots=True)
class Head:
    """From the kernel: a reply, with the first piece of its body. It has number 0."""

    id: str
    incarnation: str
    status: int
    headers: Headers
    body: bytes
    more: bool


@dataclass(frozen=True, slots=True)
class Body:
    """Both ways: the next piece."""

    id: str
    incarnation: str
    seq: int
    body: bytes
    more: bool


@dataclass(frozen=True, slots=True)
class Ack:
    """Both ways: every piece before `seq` was used."""

    id: str
    incarnation: str
    seq: int
    resume: bool = False
    """To the kernel: say everything from `seq` on again."""


@dataclass(frozen=True, slots=True)
class Close:
    """To the kernel: keep nothing of these; those that still run are cancelled."""

    incarnation: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """From the kernel: the exchange ends here."""

    id: str
    incarnation: str
    status: int
    fact: str
    remedy: str


ToKernel = Hello | Open | Body | Ack | Close
ToNotebook = Welcome | Head | Body | Ack | Refused
Message = ToKernel | ToNotebook

_BY_OP: dict[str, type[Any]] = {
    kind.__name__.lower(): kind for kind in (Hello, Welcome, Open, Head, Body, Ack, Close, Refused)
}


def to_content(message: Message) -> Json:
    """A message as the content of a Jupyter message; bodies are base64."""
    content: Json = {"op": type(message).__name__.lower()}
    for field in dataclasses.fields(message):
        value = getattr(message, field.name)
        content[field.name] = (
            base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
        )
    return content


def from_content(content: Any) -> Message:
    """A message from the content of a Jupyter message.

    Raises:
        InvalidInputError: it is none of ours.
    """
    name = content.get("op") if isinstance(content, dict) else None
    kind = _BY_OP.get(name) if isinstance(name, str) else None
    if kind is None:
        raise _unreadable(f"operation {name!r} is not known")
    try:
        message: Message = kind(**dict(_values(kind, content)))
    except (KeyError, TypeError, ValueError) as error:
        raise _unreadable(f"{name} does not fit: {error!r}") from error
    return message


def _values(kind: type[Any], content: Json) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(kind):
        if field.name in content or field.default is dataclasses.MISSING:
            yield field.name, _READERS[str(field.type)](content[field.name])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{value!r} is no whole number from 0")
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
        raise ValueError(f"{value!r} is no number of seconds")
    return float(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _bytes(value: Any) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("the body is no base64") from error


def _headers(value: Any) -> Headers:
    return tuple((_text(name), _text(text)) for name, text in value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, value))


_READERS = {
    "str": _text,
    "int": _number,
    "float": _seconds,
    "bool": _flag,
    "bytes": _bytes,
    "Headers": _headers,
    "tuple[str, ...]": _texts,
}


def _unreadable(why: str) -> InvalidInputError:
    return InvalidInputError(
        f"A message of the tunnel cannot be read: {why}.",
        "Install the same version of picsellia_jupyter on both sides.",
    )


def end_to_end(headers: Iterable[tuple[str, str]], *, without: Iterable[str] = ()) -> Headers:
    """The headers that concern both ends, and not just one connection.

    Args:
        headers: as they came.
        without: more names to leave out, in small letters.
    """
    lowered = [(name.lower(), value) for name, value in headers]
    named = {
        part.strip().lower()
        for name, value in lowered
        if name == "connection"
        for part in value.split(",")
    }
    left_out = _HOP_BY_HOP | named | set(without)
    return tuple((name, value) for name, value in lowered if name not in left_out)


def pieces(body: bytes) -> Iterator[bytes]:
    """A body cut into pieces that may be sent; one empty piece where it is empty."""
    if len(body) <= PIECE_BYTES:
        yield body
        return
    for start in range(0, len(body), PIECE_BYTES):
        yield body[start : start + PIECE_BYTES]
