"""What our handlers have in common: nothing they answer can run in a browser."""

from __future__ import annotations

import json
import re
from typing import Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.utils import HTTP_METHOD_TO_AUTH_ACTION
from jupyter_server.base.handlers import JupyterHandler
from tornado.web import HTTPError
from typing_extensions import override

from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    InvalidInputError,
    NotFoundError,
    PicselliaJupyterError,
    ServingError,
)

POLICY = "sandbox; default-src 'none'"


class ClosedHandler(JupyterHandler):
    """Answers errors as a fact and a remedy in JSON that repeats nothing of the request."""

    auth_resource = "picsellia"

    @override
    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")

    @override
    def set_cors_headers(self) -> None:
        # Without a setting of its owner, Jupyter repeats the Origin of whoever has a token.
        if self.allow_origin not in ("", "*") or self.allow_origin_pat:
            super().set_cors_headers()

    @override
    def get_login_url(self) -> str:
        # Tornado asks where to send a browser that is not logged in.
        raise HTTPError(403)

    def tell(self, status: int, error: PicselliaJupyterError) -> None:
        """Answer with an error."""
        # It loads numpy, which no Jupyter server should wait for when it starts.
        from picsellia_jupyter.wire.resources import error_to_json

        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        if status == 503:
            self.set_header("Retry-After", "1")
        self.finish(json.dumps(error_to_json(error)))

    @override
    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.tell(status_code, error_of(status_code))

    def refuse_foreign_pages(self) -> None:
        """Let no page of another origin ask, whatever it knows.

        Raises:
            HTTPError: with 403.
        """
        if not all(map(self._is_own_page, self.request.headers.get_list("Origin"))):
            raise HTTPError(403)

    async def let_in(self) -> None:
        """Let in whoever is logged in, or bears the server's token in a header.

        Raises:
            HTTPError: with 403.
        """
        self.refuse_foreign_pages()
        # Jupyter itself would take a token from the address, which logs and histories keep.
        if not self.current_user or "token" in self.request.query_arguments:
            raise HTTPError(403)
        self.check_xsrf_cookie()
        action = HTTP_METHOD_TO_AUTH_ACTION[self.request.method]
        allowed = self.authorizer.is_authorized(self, self.current_user, action, self.auth_resource)
        if not await ensure_async(allowed):
            raise HTTPError(403)

    def _is_own_page(self, origin: str) -> bool:
        """Whether it is this server's origin, or one that its owner has named."""
        host = self.request.headers.get("Host", "")
        named = self.allow_origin != "*" and origin == self.allow_origin
        pattern = self.allow_origin_pat
        fits = bool(pattern) and re.compile(pattern).fullmatch(origin) is not None
        return named or fits or origin.lower() in (f"http://{host}", f"https://{host}")


def error_of(status: int) -> PicselliaJupyterError:
    """What is said of a request that was refused with a status alone."""
    if status in (401, 403):
        return AuthenticationError(
            "The Jupyter server does not let this request in.",
            "Send its token: Authorization: token TOKEN, from no other site's page.",
        )
    if status == 404:
        return NotFoundError("There is nothing at this address.", "See %deployments.")
    if status == 405:
        return InvalidInputError("The method is not supported here.", "See the documentation.")
    if status < 500:
        return InvalidInputError("The request cannot be read.", "See the documentation.")
    return ServingError("The Jupyter server's extension failed.", "See the server's log.")
