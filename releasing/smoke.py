"""What a user does first, in a notebook, with nothing but the installed wheel.

Run by `releasing.installs` with the interpreter of a fresh environment, from an empty folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CELLS = (
    "%load_ext picsellia_jupyter",
    "from picsellia_jupyter.demo import catalog\npage = str(catalog.pages()[0])",
    "%registry",
    "d = %deploy digits-detector --threshold 0.3 --name smoke\nd",
    "found = %predict $page\nfound",
    "print('FOUND', len(found[0]))",
    "d.flush()\n%monitor smoke",
    "%undeploy smoke",
)


def main() -> None:
    """Run the journey; its last line says what was seen."""
    import picsellia_jupyter

    home = Path.cwd() / "home"
    os.environ["PICSELLIA_JUPYTER_HOME"] = str(home)
    if not Path(picsellia_jupyter.__file__).is_relative_to(sys.prefix):
        sys.exit(f"The package comes from {picsellia_jupyter.__file__}, not from the wheel.")
    if shutil.which("node"):
        sys.exit("Node is on the PATH; users have none.")
    command = str(Path(sys.prefix) / "bin" / "picsellia-jupyter")
    subprocess.run([command, "demo", "seed"], check=True)
    try:
        notebook = _executed()
    finally:
        subprocess.run([command, "platform", "stop"], check=True)
    print(f"smoke: {_extension()}; {_shown(notebook)}")


def _executed() -> dict[str, object]:
    import nbformat
    from nbclient import NotebookClient

    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    nbformat.write(notebook, "smoke.ipynb")
    return dict(notebook)


def _shown(notebook: dict[str, object]) -> str:
    text = json.dumps(notebook)
    for wanted in ("digits-detector", "FOUND ", "text/html"):
        if wanted not in text:
            sys.exit(f"No output of the notebook holds {wanted!r}.")
    found = re.findall(r"FOUND (\d+)", text)[-1]
    if not int(found):
        sys.exit("Nothing was found on a page full of digits.")
    return f"{len(CELLS)} cells, {found} digits found"


def _extension() -> str:
    """What Jupyter says of our extension, which it must have found in this environment."""
    listed = subprocess.run(
        [sys.executable, "-m", "jupyter", "labextension", "list"],
        capture_output=True,
        text=True,
        check=False,
    )
    said = listed.stdout + listed.stderr
    line = next((line for line in said.splitlines() if "picsellia-jupyter" in line), "")
    if "enabled" not in line or "OK" not in line:
        sys.exit(f"JupyterLab does not have the extension: {line or said[-300:]}")
    return "Lab extension enabled"


if __name__ == "__main__":
    main()
