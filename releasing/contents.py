"""What the source distribution and the wheel hold."""

from __future__ import annotations

import re
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from releasing.checks import ROOT, Check

STRAYS = (
    "node_modules/", ".venv/", "__pycache__/", ".ipynb_checkpoints/", "labextension/lib/",
    ".tsbuildinfo", "/build/", ".sqlite3", ".log", ".pytest_cache",
)  # fmt: skip
SDIST = (
    "LICENSE", "README.md", "CHANGELOG.md", "pyproject.toml", "constraints.txt", "Makefile",
    "labextension/src/index.ts", "labextension/yarn.lock", "tests/test_house.py",
    "picsellia_jupyter/labextension/package.json", "kernels/picsellia-serving/kernel.json",
)  # fmt: skip
LARGEST = 2_000_000
"""Bytes of a file: models and photos of the demo are smaller."""
_LAB = "share/jupyter/labextensions/picsellia-jupyter"
SHARED = (
    f"{_LAB}/package.json", f"{_LAB}/install.json", f"{_LAB}/schemas/picsellia-jupyter/deploy.json",
    f"{_LAB}/static/third-party-licenses.json",
    "share/jupyter/kernels/picsellia-serving/kernel.json",
    "etc/jupyter/jupyter_server_config.d/picsellia_jupyter.json",
)  # fmt: skip
"""Below the wheel's `.data/data`."""


def of_sdist(path: Path) -> Check:
    """The source distribution: all that one builds from, and no products of a build."""
    with tarfile.open(path) as archive:
        sizes = {
            member.name.partition("/")[2]: member.size
            for member in archive.getmembers()
            if member.isfile()
        }
    faults = [f"{name} is missing" for name in SDIST if name not in sizes]
    faults += _strays(sizes)
    return Check.of("sdist", faults, _told(path, sizes))


def of_wheel(path: Path, version: str) -> Check:
    """The wheel: the whole package with what Jupyter takes, and nothing of the workshop."""
    with zipfile.ZipFile(path) as archive:
        sizes = {one.filename: one.file_size for one in archive.infolist() if not one.is_dir()}
    data, info = (f"picsellia_jupyter-{version}.{kind}" for kind in ("data", "dist-info"))
    wanted = [f"{data}/data/{name}" for name in SHARED]
    wanted += [f"{info}/licenses/LICENSE", f"{info}/entry_points.txt", *_package_files()]
    faults = [f"{name} is missing" for name in wanted if name not in sizes]
    if not any(re.fullmatch(rf"{data}/data/{_LAB}/static/remoteEntry\..*\.js", n) for n in sizes):
        faults.append("the built Lab extension is missing")
    tops = {name.partition("/")[0] for name in sizes} - {"picsellia_jupyter", data, info}
    faults += [f"{top} does not belong there" for top in sorted(tops)]
    faults += _strays(sizes)
    return Check.of("wheel", faults, _told(path, sizes))


def of_changelog(version: str) -> Check:
    """The changelog has a section for this version."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## +\[?([^\]\s]+)", text, re.MULTILINE)
    faults = [] if version in sections else [f"no section '## {version}', only {sections[:3]}"]
    return Check.of("changelog", faults, f"has a section for {version}")


def _package_files() -> Iterable[str]:
    """Every file of the package, its scripts for the browser and typed marker among them."""
    package = ROOT / "picsellia_jupyter"
    for path in package.rglob("*"):
        inside = path.relative_to(package).parts
        if path.is_file() and not {"__pycache__", "labextension"} & set(inside[:-1]):
            yield path.relative_to(ROOT).as_posix()


def _strays(sizes: Mapping[str, int]) -> list[str]:
    strays = [name for name in sizes if any(stray in f"/{name}" for stray in STRAYS)]
    large = [name for name, size in sizes.items() if size > LARGEST]
    return [f"{name} is a product of a build" for name in strays] + [
        f"{name} has {sizes[name] / 1e6:.1f} MB" for name in large
    ]


def _told(path: Path, sizes: Mapping[str, int]) -> str:
    return f"{path.name}: {len(sizes)} files, {path.stat().st_size / 1e6:.1f} MB"
