"""Jupyter messages over a websocket, compared with the server's own code."""

from __future__ import annotations

import json

import pytest
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_binary_message,
    serialize_msg_to_ws_v1,
)

from picsellia_jupyter.wire import kernel_messages
from picsellia_jupyter.wire.kernel_messages import KernelMessage

KINDS = frozenset(("status",))


def pack(part: object) -> bytes:
    return json.dumps(part).encode()


def status(kind: str = "status") -> dict[str, object]:
    return {
        "header": {"msg_id": "1", "msg_type": kind},
        "parent_header": {"msg_id": "0"},
        "metadata": {},
        "content": {"execution_state": "idle", "text": "é"},
    }


def test_the_server_reads_what_we_send():
    header = kernel_messages.header("comm_info_request", "7", "session")

    frame = kernel_messages.encode("control", header, {"a": "é"}, v1=True)
    channel, parts = deserialize_msg_from_ws_v1(frame)

    assert channel == "control"
    assert [json.loads(part) for part in parts] == [header, {}, {}, {"a": "é"}]
    text = json.loads(kernel_messages.encode("control", header, {"a": "é"}, v1=False))
    assert (text["channel"], text["header"], text["content"]) == ("control", header, {"a": "é"})


@pytest.mark.parametrize("parent", ["0", ""])
def test_we_read_what_the_server_sends_in_either_form(parent: str):
    message = status()
    message["parent_header"] = {"msg_id": parent} if parent else {}
    expected = KernelMessage("iopub", "status", parent, message["content"])

    frame = serialize_msg_to_ws_v1(message, "iopub", pack)
    text = json.dumps({**message, "channel": "iopub", "msg_type": "status"})

    assert kernel_messages.decode(frame, KINDS) == expected
    assert kernel_messages.decode(text, KINDS) == expected


def test_other_messages_are_passed_over():
    other = status("stream")
    with_buffers = {**status(), "buffers": [b"x" * 100], "channel": "iopub"}

    assert kernel_messages.decode(serialize_msg_to_ws_v1(other, "iopub", pack), KINDS) is None
    assert kernel_messages.decode(json.dumps(other), KINDS) is None
    assert kernel_messages.decode(serialize_binary_message(with_buffers), KINDS) is None
    assert kernel_messages.decode(b"", KINDS) is None
