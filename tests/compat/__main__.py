"""Runs the tests of the Deploy modal with other versions of Jupyter: `make compat`.

    python -m tests.compat [NAME …] [-- PYTEST_ARGS …]

Not part of `make test`: each environment is installed once into build/compat/, from the package
index, and its tests take minutes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.compat.environments import REPOSITORY, VERSIONS, made

TESTS = (
    "tests/browser/test_dialog.py",
    "tests/browser/test_deploy_command.py",
    "tests/browser/test_deploy_modal.py",
    "tests/browser/test_panel.py",
    "tests/browser/test_sidebar.py",
    "tests/browser/test_notices.py",
    "tests/widgets/test_deploy_modal.py",
    "tests/magics/test_completion.py",
)
PACKAGES = ("jupyterlab", "notebook", "ipykernel", "IPython", "ipywidgets")
SAY_VERSIONS = (
    "from importlib.metadata import version; "
    f"print(', '.join(f'{{name}} {{version(name)}}' for name in {PACKAGES}))"
)


def main(words: list[str]) -> int:
    """Run them in each environment that is named, or in all; 0 if everything passed."""
    cut = words.index("--") if "--" in words else len(words)
    names, given = words[:cut] or list(VERSIONS), words[cut + 1 :]
    codes = {name: _try(name, made(name), given) for name in names}
    for name, code in codes.items():
        print(f"{name}: {'passed' if code == 0 else 'FAILED'}")
    return max(codes.values())


def _try(name: str, python: Path, given: list[str]) -> int:
    print(f"== {name}: ", end="", flush=True)
    subprocess.run([python, "-c", SAY_VERSIONS], check=True)
    tests = given if any(word.startswith("tests/") for word in given) else [*TESTS, *given]
    return subprocess.run([python, "-m", "pytest", *tests], cwd=REPOSITORY, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
