"""Predictions that a client may ask for twice, and that are recorded once."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence

from picsellia_jupyter.domain.errors import InvalidInputError

HEADER = b"idempotency-key"

RawHeaders = Sequence[tuple[bytes, bytes]]


def key_of(headers: RawHeaders) -> uuid.UUID | None:
    """The key of a request: `Idempotency-Key: UUID`, quoted or not; None where there is none.

    Args:
        headers: names in small letters, and values.

    Raises:
        InvalidInputError: it is no UUID, or there are several.
    """
    given = [value for name, value in headers if name == HEADER]
    if not given:
        return None
    try:
        [only] = given
        return uuid.UUID(only.decode("ascii").strip().strip('"'))
    except ValueError:
        raise InvalidInputError(
            f"Idempotency-Key is {b', '.join(given)[:60].decode('latin-1')!a}.",
            "Send one new UUID for each request, and the same one when you send that again.",
        ) from None


def prediction_id(
    key: uuid.UUID | None, deployment_id: str, image: bytes, *, place: int = 0
) -> str | None:
    """The id of the prediction that a request with a key asks for; None without one.

    It is the same for the same image alone, so that a key that is used for another image by
    mistake loses no prediction.

    Args:
        key: of the request.
        deployment_id: what is asked.
        image: encoded, as it was sent.
        place: among the images of the request.
    """
    if key is None:
        return None
    digest = hashlib.sha256(image).hexdigest()
    return str(uuid.uuid5(key, f"{deployment_id}/{place}/{digest}"))
