"""A real Jupyter server with the extension, and a kernel of it with a tiny front."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.jupyter_servers import RunningServer
from tests.labserver.kinds import Kind, Proxied, extended, start_front


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[RunningServer]:
    """With a token, a prefix as JupyterHub has, and no way in for the unknown."""
    folder = tmp_path_factory.mktemp("jupyter") / "one"
    options = ("--ServerApp.base_url=/user/me/", "--ServerApp.allow_unauthenticated_access=False")
    with extended(folder, Kind.TOKEN, *options) as running:
        yield running


@pytest.fixture(scope="module")
def proxied(server) -> Iterator[Proxied]:
    """A kernel of that server in which a front serves."""
    with Proxied.of(server, *start_front(server)) as found:
        yield found
