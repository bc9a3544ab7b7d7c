"""What is installed beside this Python, and whether Jupyter finds our part of it."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from picsellia_jupyter.domain.diagnosis import Fact
from picsellia_jupyter.launch.kernels import SPEC

EXTENSION = "picsellia-jupyter"
SERVER_EXTENSION = "picsellia_jupyter.labserver"
NOT_INSTALLED = "not installed"
AGAIN = "pip install --force-reinstall --no-deps picsellia_jupyter, then restart the Jupyter server"
_NEEDED = (
    "picsellia_jupyter", "picsellia", "ipykernel", "ipython", "ipywidgets", "anywidget",
    "jupyter-server", "jupyter-client", "httpx", "numpy", "pillow", "requests",
)  # fmt: skip
_EXTRAS = {
    "jupyterlab": "lab",
    "notebook": "lab",
    "fastapi": "platform",
    "sqlalchemy": "platform",
    "onnxruntime": "serving",
    "torch": "serving",
    "uvicorn": "serving",
    "scipy": "monitoring",
    "papermill": "training",
}
_OPTIONAL = ("tensorflow", "keras", "ray", "torchvision", "ultralytics", "keyring")


def versions() -> Iterator[Fact]:
    """Of Python, the system and the packages that matter."""
    yield Fact("Versions", "python", f"{platform.python_version()} ({sys.executable})")
    yield Fact("Versions", "system", platform.platform())
    for name in _NEEDED:
        found = version_of(name)
        lacks = found == NOT_INSTALLED
        yield Fact("Versions", name, found, f"pip install {name}" if lacks else "")
    for name, extra in _EXTRAS.items():
        found = version_of(name)
        # Nothing is amiss: a notebook needs none of them where others serve.
        hint = f' (pip install "picsellia_jupyter[{extra}]")' if found == NOT_INSTALLED else ""
        yield Fact("Versions", name, f"{found}{hint}")
    for name in _OPTIONAL:
        if (found := version_of(name)) != NOT_INSTALLED:
            yield Fact("Versions", name, found)


def version_of(package: str) -> str:
    """The installed version, or that there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return NOT_INSTALLED


def extension() -> Iterator[Fact]:
    """The three things that an installation puts into Jupyter's folders."""
    from jupyter_core.paths import jupyter_config_path, jupyter_path

    return parts_of_extension(
        [Path(path) for path in jupyter_path()], [Path(path) for path in jupyter_config_path()]
    )


def parts_of_extension(data: Sequence[Path], config: Sequence[Path]) -> Iterator[Fact]:
    """Whether Jupyter finds the Lab extension, the server extension and the kernel.

    Args:
        data: Jupyter's data folders, the first that has something counts.
        config: its configuration folders, likewise.
    """
    yield _lab_extension(data, config)
    yield _server_extension(config)
    kernel = _first([path / "kernels" / SPEC / "kernel.json" for path in data])
    yield _found("kernel for serving", kernel)


def _lab_extension(data: Sequence[Path], config: Sequence[Path]) -> Fact:
    name = "JupyterLab extension"
    path = _first([path / "labextensions" / EXTENSION / "package.json" for path in data])
    if path is None:
        return _found(name, None)
    off = [_read(folder / "labconfig" / "page_config.json") for folder in config]
    if any(page.get("disabledExtensions", {}).get(EXTENSION) for page in off):
        return Fact("Extension", name, "disabled", f"jupyter labextension enable {EXTENSION}")
    built, own = _read(path).get("version", "of no version"), version_of("picsellia_jupyter")
    remedy = "" if built == own else f"{AGAIN} and load the page anew"
    return Fact("Extension", name, f"{built} in {path.parent}", remedy)


def _server_extension(config: Sequence[Path]) -> Fact:
    name = "server extension"
    folders = [folder / "jupyter_server_config.d" for folder in config]
    files = [path for folder in folders for path in sorted(folder.glob("*.json"))]
    # What a user has switched by hand is kept beside that folder, and wins.
    files = [*(folder / "jupyter_server_config.json" for folder in config), *files]
    for path in files:
        said = _read(path).get("ServerApp", {}).get("jpserver_extensions", {})
        if said.get(SERVER_EXTENSION) is False:
            remedy = f"jupyter server extension enable {SERVER_EXTENSION}"
            return Fact("Extension", name, f"disabled by {path}", remedy)
        if SERVER_EXTENSION in said:
            return _found(name, path)
    return _found(name, None)


def _found(name: str, path: Path | None) -> Fact:
    if path is None:
        return Fact("Extension", name, NOT_INSTALLED, AGAIN)
    return Fact("Extension", name, f"installed, by {path}")


def _first(paths: Sequence[Path]) -> Path | None:
    return next((path for path in paths if path.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
