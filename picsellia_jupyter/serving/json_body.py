"""A request's body that is a JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.types import Receive

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving import upload
from picsellia_jupyter.serving.upload import TooLargeError

_MAX_BYTES = 64 * 1024


async def read(receive: Receive) -> dict[str, Any]:
    """The body as an object, whatever its content type: the SDK sends none.

    Raises:
        InvalidInputError: it is none, or longer than 64 KiB.
    """
    try:
        text = await upload.body_of(receive, _MAX_BYTES)
    except TooLargeError:
        raise InvalidInputError(
            "The body is too long.", f"Send at most {_MAX_BYTES} bytes."
        ) from None
    try:
        value = json.loads(text or b"{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInputError("The body is no JSON object.", "Send one, such as {}.")
    return value


def text(body: Mapping[str, Any], key: str) -> str:
    """A text that has to be there.

    Raises:
        InvalidInputError: it is not.
    """
    value = body.get(key)
    if not isinstance(value, str) or not value:
        raise InvalidInputError(f"{key} is missing or no text.", f'Send {{"{key}": "…"}}.')
    return value
