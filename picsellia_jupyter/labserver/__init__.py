"""The Jupyter server extension: a proxy to serving kernels, a way to start them, the sidebar's API.

Nothing of it runs in a kernel, and nothing here imports what a notebook needs.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import secrets
from pathlib import Path
from typing import Any

MAX_EXCHANGES = 128


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "picsellia_jupyter.labserver"}]


def _load_jupyter_server_extension(server: Any) -> None:
    from jupyter_server.utils import url_path_join

    from picsellia_jupyter.labserver.promptness import send_at_once
    from picsellia_jupyter.labserver.saving import keep_cards

    base = server.web_app.settings["base_url"]
    handlers = [
        (url_path_join(base, path), handler, kept)
        for path, handler, kept in routes(_introduce(server))
    ]
    server.web_app.add_handlers(".*$", handlers)
    server.contents_manager.register_pre_save_hook(keep_cards)
    send_at_once()


def routes(secret: str) -> list[tuple[str, type[Any], dict[str, Any]]]:
    """All that is answered, below the server's base path: patterns, handlers, what they share."""
    from picsellia_jupyter.labserver import panel, proxy, starting
    from picsellia_jupyter.labserver.office import Office

    desk = {"desk": starting.Desk(secret)}
    office = {"office": Office()}
    slots = {"slots": asyncio.Semaphore(MAX_EXCHANGES)}
    return [
        (r"picsellia/serving/([^/]+)/(.*)", proxy.FrontHandler, slots),
        (r"picsellia/start", starting.StartHandler, desk),
        (r"picsellia/kernels", starting.KernelsHandler, desk),
        (r"picsellia/kernels/([^/]+)", starting.KernelHandler, desk),
        (r"picsellia/kernels/([^/]+)/execute", starting.ExecuteHandler, desk),
        (r"picsellia/api/overview", panel.OverviewHandler, office),
        (r"picsellia/api/registry", panel.RegistryHandler, office),
        (r"picsellia/api/versions/([^/]+)/files", panel.FilesHandler, office),
        (r"picsellia/api/deployments/([^/]+)/log", panel.LogHandler, office),
        (r"picsellia/api/deployments/([^/]+)/stop", panel.StopHandler, office),
    ]


def _introduce(server: Any) -> str:
    """Leave a new secret for the server's kernels; it is removed when the server ends."""
    from picsellia_jupyter.clients import introductions

    secret, pid = secrets.token_urlsafe(32), os.getpid()
    try:
        path = introductions.write(pid, secret, Path(server.runtime_dir))
    except OSError as error:
        server.log.warning("Kernels cannot be told the extension's secret: %s", error)
        return secret
    atexit.register(_remove, path, pid)
    return secret


def _remove(path: Path, pid: int) -> None:
    if os.getpid() == pid:  # not a process that was forked off
        with contextlib.suppress(OSError):
            path.unlink()
