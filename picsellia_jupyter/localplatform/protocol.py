"""HTTP as the SDK speaks it, read by a parser in C."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT_BYTES = 2**16
"""Of a request line with its headers."""
_OWN, _SPELLED = b"XGET ", b"GET "


class SdkProtocol(HttpToolsProtocol):
    """Uvicorn's faster protocol, which also takes the SDK's own method `XGET`.

    The parser knows registered methods only, so it is shown a `GET`, at the one place where a
    request can begin: behind the end of the one before. A request that was sent before the
    last was answered is read with it, and must be of a method that the parser knows.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """As uvicorn's own."""
        super().__init__(*args, **kwargs)
        self._held = b""
        self._begins, self._in_body = True, False
        self._is_xget = False
        self._head_bytes = 0

    def data_received(self, data: bytes) -> None:
        """Take bytes of the connection."""
        if self._begins:
            data, self._held = self._held + data, b""
            if len(data) < len(_OWN) and _OWN.startswith(data):
                self._held = data
                return
            self._is_xget = data.startswith(_OWN)
            if self._is_xget:
                data = _SPELLED + data[len(_OWN) :]
        self._head_bytes = 0 if self._in_body else self._head_bytes + len(data)
        super().data_received(data)
        in_head = not (self._begins or self._in_body)
        if in_head and self._head_bytes > HEAD_LIMIT_BYTES and not self.transport.is_closing():
            self.send_400_response("The headers of the request are too long.")

    def on_message_begin(self) -> None:
        """Note that a request is under way."""
        self._begins = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Give the request its own method back."""
        super().on_headers_complete()
        self._in_body = True
        if self._is_xget:
            self.scope["method"] = "XGET"

    def on_message_complete(self) -> None:
        """Note that the next bytes begin another request."""
        super().on_message_complete()
        self._begins, self._in_body, self._is_xget, self._head_bytes = True, False, False, 0
