"""A training run in an ordinary kernel of some Jupyter server, told to it over its channel."""

from __future__ import annotations

import logging
import tempfile
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path

from picsellia_jupyter.clients.labserver import own_client
from picsellia_jupyter.clients.runners import RunnerClient
from picsellia_jupyter.domain.errors import ConflictError, MissingExtraError, PicselliaJupyterError
from picsellia_jupyter.training.runner import Runner, check_papermill
from picsellia_jupyter.training.workplaces import Elsewhere

_log = logging.getLogger(__name__)


def trouble(job: Mapping[str, str]) -> dict[str, str]:
    """What would keep this kernel from a run: `{}`, or `missing` or `unreachable` and why.

    Args:
        job: `host`, `token` and `organization`.
    """
    try:
        check_papermill()
        RunnerClient.connect(job["host"], job["token"], job["organization"], run="", name="")
    except MissingExtraError as error:
        return {"missing": error.fact}
    except PicselliaJupyterError as error:
        return {"unreachable": error.fact}
    return {}


def start(job: Mapping[str, str]) -> None:
    """Do a run beside this kernel, which goes on answering, and end the kernel after it.

    Args:
        job: `host`, `token`, `organization`, `run` and `kernel_id`.
    """
    threading.Thread(target=_do, args=(dict(job),), name="training", daemon=True).start()


def _do(job: Mapping[str, str]) -> None:
    try:
        with tempfile.TemporaryDirectory(prefix="picsellia-training-") as folder:
            place = Elsewhere(job["host"], job["token"], job["organization"], Path(folder))
            Runner(place, job["run"], uuid.uuid4().hex).run()
    except ConflictError as error:
        # It was cancelled before it began, or the platform has given it up.
        _log.warning("%s", error)
    except Exception:  # noqa: BLE001 - the kernel is ended either way
        _log.exception("The training run ended without a word")
    finally:
        _end_kernel(job["kernel_id"])


def _end_kernel(kernel_id: str) -> None:
    """Have its server delete it; where there is none to be asked, the notebook does."""
    try:
        client = own_client()
        if client is not None:
            client.delete_kernel(kernel_id)
    except PicselliaJupyterError as error:
        _log.warning("The Jupyter server did not delete this kernel: %s", error)
