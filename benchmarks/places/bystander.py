"""Somebody else's notebook on a kernel."""

from __future__ import annotations

import json
import uuid
from typing import Any

import websocket

from picsellia_jupyter.clients.jupyter import JupyterServer


class Bystander:
    """Somebody else's notebook on the same kernel."""

    def __init__(self, server: JupyterServer, kernel_id: str) -> None:
        address = f"{server.url}/api/kernels/{kernel_id}/channels?session_id={uuid.uuid4().hex}"
        self._socket = websocket.create_connection(
            address.replace("http", "ws", 1),
            header=[f"Authorization: token {server.token}"],
            http_no_proxy=["*"],
            timeout=30,
        )

    def frames(self) -> list[dict[str, Any]]:
        """What came since the last call, but for what it asked itself."""
        asked, others, ended = uuid.uuid4().hex, [], 0
        header = {"msg_id": asked, "msg_type": "kernel_info_request", "session": "b", "date": ""}
        header |= {"username": "", "version": "5.3"}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": {}}
        self._socket.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        # The reply and the news that the kernel is idle come on different channels.
        while ended < 2:
            frame = json.loads(self._socket.recv())
            if frame["parent_header"].get("msg_id") != asked:
                others.append(frame)
            elif frame["content"].get("execution_state") != "busy":
                ended += frame["msg_type"] in ("kernel_info_reply", "status")
        return others

    def close(self) -> None:
        """Go."""
        self._socket.close()
