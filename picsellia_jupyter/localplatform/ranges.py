"""The rest of an object, for who has its beginning: HTTP ranges that are open at their end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

_OPEN = re.compile(r"bytes=(\d{1,18})-")


def first_byte(header: str | None) -> int | None:
    """Where the rest that a `Range` header asks for begins; None for anything else.

    Other ranges are answered with the whole, as HTTP allows: only who reads to the end can be
    told whether it is what was stored.
    """
    found = _OPEN.fullmatch(header or "")
    return int(found[1]) if found else None


def ranged(start: int, size: int) -> Mapping[str, str]:
    """The headers of the rest of an object of `size` bytes."""
    return {
        "Content-Range": f"bytes {start}-{size - 1}/{size}",
        "Content-Length": str(size - start),
    }


def skip(chunks: Iterable[bytes], count: int) -> Iterator[bytes]:
    """The chunks without their first bytes."""
    for chunk in chunks:
        if count < len(chunk):
            yield chunk[count:]
        count = max(0, count - len(chunk))
