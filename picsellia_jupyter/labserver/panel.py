"""`picsellia/api/…`: what the Lab extension's sidebar asks, with no notebook open.

A page of this very server asks, logged in and with its XSRF token; everything is answered by the
Session API in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from tornado import web
from typing_extensions import override

from picsellia_jupyter.domain import errors
from picsellia_jupyter.domain.errors import InvalidInputError, PicselliaJupyterError
from picsellia_jupyter.labserver import answers
from picsellia_jupyter.labserver.closed import ClosedHandler
from picsellia_jupyter.labserver.office import Office

if TYPE_CHECKING:
    from picsellia_jupyter.session import Session

_READ_WITHIN_S = 60.0
_ACT_WITHIN_S = 180.0
_STATUS: tuple[tuple[type[PicselliaJupyterError], int], ...] = (
    (errors.InvalidInputError, 400),
    (errors.QuotaSpentError, 402),
    (errors.NotFoundError, 404),
    (errors.ConflictError, 409),
    (errors.DeadlineError, 504),
    (errors.PlatformUnreachableError, 503),
    (errors.NotServingError, 503),
    # Not 401 or 403: it is not this server that refuses.
    (errors.PlatformError, 502),
)


class PanelHandler(ClosedHandler):
    """Answers with JSON that a thread has prepared, or with a fact and a remedy."""

    @override
    def initialize(self, office: Office) -> None:
        """Prepare for a request.

        Args:
            office: the sessions of this server.
        """
        self._office = office

    @override
    async def prepare(self) -> None:
        await super().prepare()
        await self.let_in()

    async def read(self, key: str, question: Callable[[Session], bytes]) -> None:
        """Answer what is quick."""
        await self._answer(key, question, act=False, timeout_s=_READ_WITHIN_S)

    async def act(self, key: str, question: Callable[[Session], bytes]) -> None:
        """Answer what changes something."""
        await self._answer(key, question, act=True, timeout_s=_ACT_WITHIN_S)

    async def _answer(
        self, key: str, question: Callable[[Session], bytes], *, act: bool, timeout_s: float
    ) -> None:
        try:
            clerks = self._office.clerks(self.get_query_argument("platform", ""))
            clerk = clerks.acting if act else clerks.reading
            body = await clerk.ask(key, question, timeout_s=timeout_s)
        except PicselliaJupyterError as error:
            self.tell(_status_of(error), error)
            return
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(body)


class OverviewHandler(PanelHandler):
    """`GET picsellia/api/overview`."""

    @web.authenticated
    async def get(self) -> None:
        """The platform, its deployments and what is left of its MPU.

        With `wake=1` it connects; else it only does where nothing is started by that.
        """
        wake = self.get_query_argument("wake", "") == "1"
        await self.read(f"overview {wake}", partial(answers.overview, wake=wake))


class RegistryHandler(PanelHandler):
    """`GET picsellia/api/registry`."""

    @web.authenticated
    async def get(self) -> None:
        """All models, each with its versions."""
        await self.read("registry", answers.registry)


class FilesHandler(PanelHandler):
    """`GET picsellia/api/versions/{id}/files`."""

    @web.authenticated
    async def get(self, version_id: str) -> None:
        """The files of a model version."""
        await self.read(f"files {version_id}", partial(answers.files, version_id=version_id))


class LogHandler(PanelHandler):
    """`GET picsellia/api/deployments/{id}/log`."""

    @web.authenticated
    async def get(self, deployment_id: str) -> None:
        """The last lines of its serving kernel."""
        await self.read(f"log {deployment_id}", partial(answers.log, name=deployment_id))


class StopHandler(PanelHandler):
    """`POST picsellia/api/deployments/{id}/stop`."""

    @web.authenticated
    async def post(self, deployment_id: str) -> None:
        """End its serving kernel; its predictions stay."""
        if self.request.body not in (b"", b"{}"):
            self.tell(400, InvalidInputError("The body must be empty.", "Send {}."))
            return
        await self.act(f"stop {deployment_id}", partial(answers.stop, name=deployment_id))


def _status_of(error: PicselliaJupyterError) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
