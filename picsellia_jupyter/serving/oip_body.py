"""The body of an infer request: bounded, unpacked, and where its JSON ends."""

from __future__ import annotations

import zlib

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving.upload import TooLargeError

JSON_SIZE = "Inference-Header-Content-Length"
MAX_BODY = 64 * 1024 * 1024
_DISCARDED = 2 * MAX_BODY
"""A body that is too long is read this far, so that its sender sees our answer."""
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32


async def read(request: Request) -> tuple[bytearray, int | None]:
    """The body, and how many bytes of it are JSON; None where it does not say.

    Raises:
        TooLargeError: it has more than 64 MiB, unpacked.
        InvalidInputError: it is packed in a way that is not known, or not whole.
    """
    body = await _whole(request)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("gzip", "deflate"):
        body = await run_in_threadpool(_unpacked, body)
    elif encoding != "identity":
        raise InvalidInputError(
            f"The content encoding is {encoding!r}.", "Send gzip, deflate, or none."
        )
    return body, _json_size(request.headers.get(JSON_SIZE))


async def _whole(request: Request) -> bytearray:
    body, taken = bytearray(), 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken <= MAX_BODY:
            body += chunk
        elif taken > _DISCARDED:
            break
    if taken > MAX_BODY:
        raise _too_large()
    return body


def _unpacked(packed: bytearray) -> bytearray:
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        body = stream.decompress(packed, MAX_BODY + 1)
    except zlib.error as error:
        raise InvalidInputError(f"The body cannot be unpacked: {error}.", _PACK_AGAIN) from error
    if len(body) > MAX_BODY:
        raise _too_large()
    if not stream.eof or stream.unused_data:
        raise InvalidInputError("The packed body is not one whole.", _PACK_AGAIN)
    return bytearray(body)


_PACK_AGAIN = "Send it as it is, or packed by gzip or zlib in one piece."


def _json_size(told: str | None) -> int | None:
    if told is None:
        return None
    try:
        return int(told)
    except ValueError as error:
        raise InvalidInputError(
            f"{JSON_SIZE} is {told[:40]!r}.", "Send how many bytes of the body are JSON."
        ) from error


def _too_large() -> TooLargeError:
    return TooLargeError(
        f"The body has more than {MAX_BODY // 2**20} MiB.", "Send fewer tensors in a request."
    )
