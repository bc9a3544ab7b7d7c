"""A copy of the repository with an interpreter that imports it, and tests that run in it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIMIT_S = 240.0
"""Of the tests of one fault: one that hangs is noticed, too."""
_LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "build", "dist", "node_modules", "__pycache__", ".*_cache", ".hypothesis"
)


@dataclass(frozen=True, slots=True)
class Run:
    """What pytest said."""

    code: int
    """0: all passed, 1: some failed; -1: they took too long; others: nothing was tested."""
    failed: tuple[str, ...]
    """Tests that failed, as pytest names them."""
    seconds: float
    tail: str
    """The last lines it printed."""


def copied(folder: Path) -> Path:
    """Copy the repository; its `.venv` imports the copy, and all else from this environment.

    Raises:
        RuntimeError: the package would come from elsewhere.
    """
    root = folder / "repository"
    shutil.copytree(ROOT, root, ignore=_LEFT_OUT, symlinks=True)
    venv.EnvBuilder(symlinks=True).create(root / ".venv")
    ours = Path(sysconfig.get_path("purelib"))
    [theirs] = (root / ".venv").glob("lib/python*/site-packages")
    # After ours, whose editable install would come first otherwise. Model workers and kernels
    # are started without PYTHONPATH, so the interpreter itself has to know.
    (theirs / "copy.pth").write_text(
        f"import site; site.addsitedir({str(ours)!r})\n"
        f"import sys; sys.path.insert(0, {str(root)!r})\n"
    )
    found = subprocess.run(
        [python_of(root), "-c", "import picsellia_jupyter; print(picsellia_jupyter.__file__)"],
        cwd="/", capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    if not Path(found).is_relative_to(root):
        raise RuntimeError(f"The copy's interpreter imports {found}, not the copy in {root}.")
    return root


def python_of(root: Path) -> Path:
    """The interpreter of a copy."""
    return root / ".venv" / "bin" / "python"


def tested(root: Path, tests: Sequence[str], *, stop_at_first: bool, limit_s: float) -> Run:
    """Run tests in a copy.

    Args:
        root: the copy.
        tests: as pytest names them.
        stop_at_first: whether the first that fails is enough.
        limit_s: after which they are ended.
    """
    command = [str(python_of(root)), "-m", "pytest", "-q", "--no-header", "--tb=line"]
    command += ["-p", "no:cacheprovider", *(["-x"] if stop_at_first else []), *tests]
    # The kernels and programs that tests start by name are this environment's.
    path = os.pathsep.join([str(root / ".venv" / "bin"), str(Path(sys.executable).parent)])
    given = {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    given.pop("PYTHONPATH", None)
    began = time.monotonic()
    process = subprocess.Popen(
        command, cwd=root, env=given, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip
    try:
        said, _ = process.communicate(timeout=limit_s)
        code = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
        code = -1
    failed = re.findall(r"^(?:FAILED|ERROR) (\S+::\S+)", said, re.MULTILINE)
    return Run(code, tuple(failed), time.monotonic() - began, "\n".join(said.splitlines()[-15:]))
