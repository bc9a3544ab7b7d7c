"""Images that the platform has already, fetched by their names."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving import fields
from picsellia_jupyter.serving.platform import Connect, Platform
from picsellia_jupyter.serving.upload import MAX_IMAGE_BYTES, Upload

R = TypeVar("R")

_AT_ONCE = 4
_LONGEST_NAME = 1024


@dataclass(frozen=True, slots=True)
class StoredName:
    """Where an image is: never an address, only names that the platform knows."""

    connector_id: str
    object_name: str

    @classmethod
    def of(cls, said: object) -> StoredName:
        """Read the `cloud_image` of a request.

        Raises:
            InvalidInputError: it names no image.
        """
        raw = said if isinstance(said, dict) else {}
        return cls(_name(raw, "connector_id"), _name(raw, "object_name"))


def upload_of(said: Mapping[str, Any], name: StoredName, image: bytes) -> Upload:
    """A stored image with what a request says beside it.

    Raises:
        InvalidInputError: a field of it cannot be used.
    """
    tags = said.get("tags") or []
    if not isinstance(tags, list):
        raise InvalidInputError(f"tags is {ascii(tags)[:60]}, no list.", 'Send names: ["night"].')
    return Upload(
        filename=fields.bare_name(name.object_name),
        image=image,
        monitor=fields.flag("monitor", said.get("monitor")),
        postprocess=fields.flag("postprocess", said.get("postprocess")),
        tags=fields.tags(tags),
        source=fields.source(said.get("source")),
        metadata=fields.json_object("metadata", said.get("metadata")),
        custom_metadata=fields.json_object("custom_metadata", said.get("custom_metadata")),
        stored_as=name.object_name,
    )


class StoredImages:
    """Fetches images of one deployment's target datalake, a few at a time."""

    def __init__(self, connect: Connect, deployment_id: str) -> None:
        self._connect = connect
        self._deployment_id = deployment_id
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="stored image")
        self._own = threading.local()

    async def fetch(self, name: StoredName) -> bytes:
        """One image, encoded as it is stored.

        Raises:
            NotFoundError: there is none of this name.
            InvalidInputError: it is not in the target datalake's storage, or too large.
            PlatformError: the platform refuses, or does not answer.
        """
        return await self.ask(
            lambda platform: platform.stored_image(
                self._deployment_id, name.connector_id, name.object_name, at_most=MAX_IMAGE_BYTES
            )
        )

    async def ask(self, question: Callable[[Platform], R]) -> R:
        """Ask the platform something, in one of the threads that have a connection."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: question(self._platform()))

    def close(self) -> None:
        """Fetch nothing more; does not wait for what is under way."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _platform(self) -> Platform:
        platform: Platform | None = getattr(self._own, "platform", None)
        if platform is None:
            platform = self._own.platform = self._connect()
        return platform


def _name(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value.isprintable():
        return value
    raise InvalidInputError(
        f"cloud_image.{key} is {ascii(value)[:60]}.", "Name an image of the target datalake."
    )
