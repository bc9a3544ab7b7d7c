"""The unit tests with the lowest versions that are allowed: `python -m releasing.lowest`.

On the oldest Python that is promised, where it is found. Without torch, whose lowest version comes
with gigabytes of what only graphics cards need; so without the tests that load models with it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from releasing import installs
from releasing.checks import ROOT, ran

FOLDER = ROOT / "build" / "lowest"
UV = ROOT / "build" / "tools" / "bin" / "uv"
TESTED = (
    "domain", "workflows", "wire", "recording", "display", "localplatform", "session", "handles",
    "magics", "widgets", "clients", "launch/test_leases.py", "launch/test_places.py",
)  # fmt: skip
TOOLS = (
    "pytest", "pytest-timeout", "hypothesis", "schemathesis>=4,<5", "moto[s3,server]", "pandas",
    "pycocotools", "psycopg[binary]", "nbclient", "s3fs", "scikit-learn", "onnx",
    "pyarrow",
)  # fmt: skip
"""What tests need besides; the newest that go with the rest."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the environment, and run the tests in it with what else pytest is told."""
    told = list(sys.argv[1:] if arguments is None else arguments)
    python = FOLDER / "bin" / "python"
    if not python.exists() and _made(python):
        return 1
    print(ran([UV, "pip", "freeze", "--python", python]).said, flush=True)
    tests = told or [f"tests/{name}" for name in TESTED]
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _made(python: Path) -> int:
    """Make it; 1 where that fails, and nothing is left of it."""
    known = {version: found for version, found in installs.interpreters().items() if found}
    oldest = min(known, key=lambda version: [int(part) for part in version.split(".")])
    print(f"the lowest versions, with Python {oldest}", flush=True)
    wanted = [one for one in installs.declared(ROOT) if not one.startswith("torch")]
    install: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", python]
    for command in (
        [UV, "venv", "--quiet", "--python", known[oldest], FOLDER],
        [*install, "--resolution", "lowest-direct", *wanted],
        [*install, *TOOLS],
    ):
        done = ran([str(word) for word in command])
        if done.status:
            print(done.said)
            shutil.rmtree(FOLDER, ignore_errors=True)
            return 1
    # Kernels and model workers are started elsewhere, and import the package too.
    [packages] = FOLDER.glob("lib/python*/site-packages")
    (packages / "checkout.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
