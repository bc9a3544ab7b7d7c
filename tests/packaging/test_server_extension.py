"""The wheel enables the server extension, and Jupyter finds nothing wrong with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDER = "jupyter-config/jupyter_server_config.d"


def test_the_wheel_is_told_to_bring_its_configuration():
    project = (REPOSITORY / "pyproject.toml").read_text()
    assert f'"{FOLDER}" = "etc/jupyter/jupyter_server_config.d"' in project


def test_jupyter_lists_it_as_enabled_and_fine(tmp_path):
    (tmp_path / "jupyter_server_config.d").symlink_to(REPOSITORY / FOLDER)
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY),
        "JUPYTER_CONFIG_DIR": str(tmp_path),
    }
    command = [sys.executable, "-m", "jupyter_server.extension.serverextension", "list"]

    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    listed = re.sub(r"\x1b\[\d+m", "", done.stdout + done.stderr)
    assert "picsellia_jupyter.labserver enabled" in listed
    mine = listed[listed.rindex("Validating picsellia_jupyter.labserver") :].splitlines()[:2]
    assert "OK" in mine[1], mine


def test_it_loads_nothing_heavy():
    program = (
        "import picsellia_jupyter.labserver.proxy, picsellia_jupyter.labserver.starting, sys\n"
        "heavy = ['torch', 'numpy', 'matplotlib', 'picsellia', 'IPython', 'ipywidgets', 'PIL']\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]", done.stderr
