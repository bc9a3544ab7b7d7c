"""Installs this package in the environment of another Jupyter server's kernel."""

from __future__ import annotations

import ast
import json
from importlib.metadata import version

from picsellia_jupyter.clients.jupyter import JupyterClient
from picsellia_jupyter.domain.errors import ServingError

TIMEOUT_S = 1800.0
"""PyTorch alone may take minutes."""
_TAIL = 30


def install(client: JupyterClient, title: str, requirement: str | None = None) -> None:
    """Have a short-lived kernel install a package with pip, in its own environment.

    Args:
        client: of the server.
        title: that the Running panel shows meanwhile.
        requirement: what to install; by default this package in this version, for serving.

    Raises:
        ServingError: pip failed; its last lines are in `log_tail`.
    """
    wanted = requirement or f"picsellia_jupyter[serving]=={version('picsellia_jupyter')}"
    kernel_id = client.start_kernel(f"{title} (installing)", None)
    try:
        said = client.execute(kernel_id, _code(wanted), "_picsellia_said", timeout_s=TIMEOUT_S)
    finally:
        client.delete_kernel(kernel_id)
    status, output = json.loads(ast.literal_eval(said))
    if status != 0:
        raise ServingError(
            f"pip could not install {wanted!r} at {client.server.url} (exit status {status}).",
            "Install it there yourself, in the environment of the Python kernel.",
            log_tail=output.splitlines()[-_TAIL:],
        )


def _code(requirement: str) -> str:
    return (
        "import json as _json, subprocess as _sub, sys as _sys\n"
        "_run = _sub.run([_sys.executable, '-m', 'pip', 'install', '--disable-pip-version-check',"
        f" '--no-input', '-q', {requirement!r}], capture_output=True, text=True)\n"
        "_picsellia_said = _json.dumps([_run.returncode, _run.stdout + _run.stderr])\n"
    )
