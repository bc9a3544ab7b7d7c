"""A kernel that a real Jupyter server has not started itself finds that server."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

from picsellia_jupyter.clients.jupyter import JupyterClient
from tests.jupyter_servers import running_server

WRAPPER = (
    "import subprocess, sys; sys.exit(subprocess.call("
    "[sys.executable, '-m', 'ipykernel_launcher', *sys.argv[1:]]))"
)
FOUND = "(os.getppid(), own_server().url, str(own_server().token))"
OF_A_PROGRAM = (
    "subprocess.check_output([sys.executable, '-c', 'from picsellia_jupyter.clients.jupyter "
    "import own_server; print(own_server())'], text=True)"
)


def test_a_kernel_that_another_program_has_started_finds_its_server(tmp_path: Path):
    spec = tmp_path / "one" / "ipython" / "kernels" / "wrapped"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-c", WRAPPER, "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Wrapped"}))
    with running_server(tmp_path / "one") as server:
        client = JupyterClient(server.at)
        notebook = client.start_kernel("a notebook", "wrapped")
        code = (
            "import os, subprocess, sys\nfrom picsellia_jupyter.clients.jupyter import own_server"
        )

        found = client.execute(notebook, code, FOUND, timeout_s=60)
        printed = client.execute(notebook, code, OF_A_PROGRAM, timeout_s=60)

    parent, url, token = ast.literal_eval(found)
    assert parent != server.process.pid
    assert (url, token) == (server.at.url, server.at.token)
    # What a cell runs is no kernel: what it deploys is to end with it.
    assert ast.literal_eval(printed) == "None\n"
