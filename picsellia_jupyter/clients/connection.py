"""The SDK's own connection, for what the SDK itself has no verb for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from picsellia_jupyter.domain.pages import Pages
from picsellia_jupyter.wire.predictions import Json


class SdkConnection:
    """An organization on a platform, and JSON to and from its routes."""

    def __init__(self, sdk_client: Any, host: str, ping: Mapping[str, Any]) -> None:
        self._sdk = sdk_client
        self.host = host
        self.username = str(ping.get("username") or "")
        self.is_local = ping.get("platform") == "local"
        self.capabilities = frozenset(map(str, ping.get("capabilities") or ()))
        self.pages = Pages(host)
        self.organization_id = str(sdk_client.id)
        self.organization_name = str(sdk_client.name)
        self.is_default_organization = str(ping.get("default_organization")) == self.organization_id

    def _get(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        return cast("Json", self._sdk.connection.get(path, params=params).json())

    def _send(self, method: str, path: str, body: Json) -> Json:
        response = getattr(self._sdk.connection, method)(path, data=json.dumps(body))
        return cast("Json", response.json())
