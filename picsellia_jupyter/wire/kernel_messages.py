"""Jupyter messages in the two forms that kernel websockets speak.

Jupyter servers speak `v1.kernel.websocket.jupyter.org` (the parts of a message one after the
other, found by offsets); gateways speak JSON.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import Any

from picsellia_jupyter.wire.predictions import Json

V1 = "v1.kernel.websocket.jupyter.org"
_WORD = 8
_PARTS = 4
"""Header, parent header, metadata and content."""


@dataclass(frozen=True, slots=True)
class KernelMessage:
    """What came over a kernel's websocket."""

    channel: str
    kind: str
    parent_id: str
    """The message it answers or tells of; empty where there is none."""
    content: Json


def encode(channel: str, header: Json, content: Json, *, v1: bool) -> bytes | str:
    """A frame for the websocket: bytes in the first form, text in the other."""
    if v1:
        return _encode_v1(channel.encode(), [header, {}, {}, content])
    message = {
        "channel": channel,
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "buffers": [],
    }
    return json.dumps(message)


def header(kind: str, message_id: str, session: str) -> Json:
    """The header of a message of ours."""
    return {
        "msg_id": message_id,
        "msg_type": kind,
        "session": session,
        "username": "picsellia",
        "version": "5.3",
        "date": "1970-01-01T00:00:00Z",
    }


def decode(frame: bytes | str, kinds: frozenset[str]) -> KernelMessage | None:
    """A message of one of these kinds; None for any other, whose content is not read.

    Raises:
        ValueError: the frame is neither form.
    """
    if isinstance(frame, str):
        return _decode_json(json.loads(frame), kinds)
    return _decode_v1(frame, kinds)


def _encode_v1(channel: bytes, message: list[Json]) -> bytes:
    parts = [channel, *(json.dumps(part).encode() for part in message)]
    offsets = [_WORD * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    words = (len(offsets), *offsets)
    return b"".join((*(word.to_bytes(_WORD, "little") for word in words), *parts))


def _decode_v1(frame: bytes, kinds: frozenset[str]) -> KernelMessage | None:
    count = int.from_bytes(frame[:_WORD], "little")
    if not _PARTS + 2 <= count <= len(frame) // _WORD:
        # Gateways send messages that have buffers in a binary form of their own; none is ours.
        return None
    ends = [_word(frame, index + 1) for index in range(_PARTS + 2)]
    parts = [frame[start:end] for start, end in itertools.pairwise(ends)]
    head = json.loads(parts[1])
    if head["msg_type"] not in kinds:
        return None
    content, parent = json.loads(parts[4]), json.loads(parts[2])
    return KernelMessage(parts[0].decode(), head["msg_type"], parent.get("msg_id", ""), content)


def _word(frame: bytes, index: int) -> int:
    return int.from_bytes(frame[_WORD * index : _WORD * (index + 1)], "little")


def _decode_json(message: dict[str, Any], kinds: frozenset[str]) -> KernelMessage | None:
    kind = message.get("msg_type") or message["header"]["msg_type"]
    if kind not in kinds:
        return None
    parent = message.get("parent_header") or {}
    return KernelMessage(
        message.get("channel") or "", kind, parent.get("msg_id", ""), message["content"]
    )
