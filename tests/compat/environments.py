"""Environments that lie over this one, each with some packages in another version."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FOLDER = REPOSITORY / "build" / "compat"

VERSIONS = {
    "oldest": ("jupyterlab==4.2.7", "notebook==7.2.3", "ipykernel==6.31.0", "ipython==8.39.0"),
    "lab-4.2": ("jupyterlab==4.2.7", "notebook==7.2.3"),
    "ipykernel-6": ("ipykernel==6.31.0",),
    "ipykernel-7.3": ("ipykernel==7.3.0", "ipython==8.39.0"),
}


def made(name: str) -> Path:
    """The python of an environment; it is made where it is not there yet."""
    folder = FOLDER / name
    python = folder / "bin" / "python"
    done = folder / "installed.txt"
    wanted = "\n".join(VERSIONS[name])
    if not done.exists() or done.read_text() != wanted:
        venv.create(folder, with_pip=True, clear=True)
        _lay_over(folder)
        pip = (python, "-m", "pip", "--disable-pip-version-check", "-q", "install")
        subprocess.run([*pip, *VERSIONS[name]], check=True)
        _share(folder)
        done.write_text(wanted)
    return python


def _lay_over(folder: Path) -> None:
    """Have everything that it lacks come from the environment that runs this."""
    (own,) = folder.glob("lib/python*/site-packages")
    beneath = [path for path in sys.path if path.endswith("site-packages")]
    lines = [f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})"]
    lines += [f"import site; site.addsitedir({path!r})" for path in beneath]
    (own / "beneath.pth").write_text("\n".join(lines) + "\n")


def _share(folder: Path) -> None:
    """Link what Jupyter looks for in an environment: kernels, extensions, configuration."""
    base = Path(sysconfig.get_path("data"))
    for found in _shared(base):
        link = folder / found.relative_to(base)
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(found.resolve())


def _shared(base: Path) -> Iterator[Path]:
    jupyter = base / "share" / "jupyter"
    yield from (jupyter / "kernels").glob("*")
    yield from (one for one in (jupyter / "labextensions").glob("*") if one.name[0] != "@")
    yield from (jupyter / "labextensions").glob("@*/*")
    yield from (base / "etc" / "jupyter").glob("*/*.json")
