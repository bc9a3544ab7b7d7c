"""A multipart form as ordinary clients send it, read in one go.

Starlette's parser steps through a form byte by byte in Python. This one looks for the
boundaries instead, and leaves whatever is out of the ordinary to the other.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

MEDIA = "media"
MAX_PARTS = 64
_LONGEST_HEAD = 2048
_LONGEST_TEXT = 64 * 1024
_CONTENT_TYPE = re.compile(rb'multipart/form-data; ?boundary=("?)([0-9A-Za-z_.-]{1,70})\1')
_DISPOSITION = re.compile(
    rb'form-data; name="([^"\\\r\n]{1,200})"(?:; filename="([^"\\\r\n]{0,1000})")?'
)


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """The parts of a predict request."""

    filename: str | None
    """Of the part `media`; None where there is no such file."""
    media: bytes
    """What that file holds."""
    texts: tuple[tuple[str, str], ...]
    """Names and values of all other parts, in their order."""

    def text(self, name: str) -> str | None:
        """The last text field of a name."""
        return next((value for known, value in reversed(self.texts) if known == name), None)

    def all(self, name: str) -> list[str]:
        """Every text field of a name."""
        return [value for known, value in self.texts if known == name]


def boundary_of(content_type: bytes) -> bytes | None:
    """The boundary that a plain multipart content type names; None for any other."""
    found = _CONTENT_TYPE.fullmatch(content_type)
    return found[2] if found else None


def parse(body: bytes, boundary: bytes) -> Form | None:
    """Read a form with one file `media` and text fields.

    Args:
        body: the whole of it.
        boundary: as the content type names it.

    Returns:
        Its parts; None where it is out of the ordinary in any way, broken forms included.
    """
    media: tuple[str, bytes] | None = None
    texts: list[tuple[str, str]] = []
    try:
        for name, filename, content in _parts(body, boundary):
            if filename is None and name != MEDIA and len(content) <= _LONGEST_TEXT:
                texts.append((name, content.decode()))
            elif filename is not None and name == MEDIA and media is None:
                media = filename, content
            else:
                return None
    except ValueError:
        return None
    return Form(*media, tuple(texts)) if media else None


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, str | None, bytes]]:
    """Name, file name and content of each part.

    Raises:
        ValueError: the form is out of the ordinary.
    """
    fence = b"\r\n--" + boundary
    if not body.startswith(fence[2:] + b"\r\n"):
        raise ValueError("no boundary to begin with")
    begin = len(fence)
    for _ in range(MAX_PARTS):
        head_end = body.index(b"\r\n\r\n", begin, begin + _LONGEST_HEAD)
        end = body.index(fence, head_end + 4)
        yield *names_in(body[begin:head_end]), body[head_end + 4 : end]
        begin = end + len(fence) + 2
        after = body[begin - 2 : begin]
        if after == b"--" and body[begin:] in (b"", b"\r\n"):
            return
        if after != b"\r\n":
            raise ValueError("a boundary is followed by something else")
    raise ValueError("too many parts")


@functools.lru_cache(maxsize=256)  # a client's heads differ by little but the file's name
def names_in(head: bytes) -> tuple[str, str | None]:
    """The name and the file name in the head of a part; the latter is None for a text.

    Raises:
        ValueError: the head is out of the ordinary.
    """
    names: tuple[str, str | None] | None = None
    for line in head.split(b"\r\n"):
        key, _, value = line.partition(b": ")
        kind = key.lower()
        if kind == b"content-disposition" and names is None:
            found = _DISPOSITION.fullmatch(value)
            if not found:
                raise ValueError("an unusual content disposition")
            names = found[1].decode(), None if found[2] is None else found[2].decode()
        elif kind != b"content-type":
            raise ValueError("an unusual header")
    if names is None or (names[1] is None and head.count(b"\r\n")):
        raise ValueError("a part without a name, or a text with a type of its own")
    return names
