"""What `python -m build` makes: everything a user needs, nothing of the workshop."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import picsellia_jupyter

pytestmark = pytest.mark.journey

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "picsellia_jupyter"
VERSION = picsellia_jupyter.__version__
SHARED = f"picsellia_jupyter-{VERSION}.data/data/share/jupyter/labextensions/picsellia-jupyter"


def run(*command: str | Path, **environment: str) -> str:
    result = subprocess.run(
        [str(word) for word in command],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """The folder with the sdist, and the wheel that was built from that sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder)
    return folder


@pytest.fixture(scope="module")
def wheel(distributions):
    (path,) = distributions.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def wheel_names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def sdist_names(distributions):
    (path,) = distributions.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        return {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}


def test_the_wheel_brings_the_lab_extension(wheel_names):
    extension = {name.removeprefix(f"{SHARED}/") for name in wheel_names if SHARED in name}
    assert {
        "package.json",
        "install.json",
        "schemas/picsellia-jupyter/deploy.json",
    } <= extension
    assert any(name.startswith("static/remoteEntry.") for name in extension)


def test_the_wheel_brings_the_kernel_with_its_logos(wheel_names):
    folder = f"picsellia_jupyter-{VERSION}.data/data/share/jupyter/kernels/picsellia-serving/"
    brought = {name.removeprefix(folder) for name in wheel_names if name.startswith(folder)}
    assert brought == {"kernel.json", "logo-32x32.png", "logo-64x64.png", "logo-svg.svg"}


def test_the_wheel_enables_the_server_extension(wheel_names):
    folder = f"picsellia_jupyter-{VERSION}.data/data/etc/jupyter/jupyter_server_config.d/"
    assert f"{folder}picsellia_jupyter.json" in wheel_names


def test_the_wheel_holds_every_file_of_the_package(wheel_names):
    wanted = {
        path.relative_to(REPOSITORY).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and not {"__pycache__", "labextension"} & set(path.parts[:-1])
    }
    assert "picsellia_jupyter/py.typed" in wanted
    assert wanted - wheel_names == set()


def test_the_wheel_holds_nothing_else(wheel_names):
    tops = {name.split("/", 1)[0] for name in wheel_names}
    assert tops == {
        "picsellia_jupyter",
        f"picsellia_jupyter-{VERSION}.data",
        f"picsellia_jupyter-{VERSION}.dist-info",
    }
    strays = ("node_modules", "__pycache__", ".ipynb_checkpoints", "picsellia_jupyter/labextension")
    assert [name for name in wheel_names if any(stray in name for stray in strays)] == []


def test_the_sdist_can_be_built_from_and_holds_no_build_leftovers(sdist_names):
    assert {
        "labextension/src/index.ts",
        "labextension/yarn.lock",
        "picsellia_jupyter/labextension/package.json",
        "pyproject.toml",
        "LICENSE",
    } <= sdist_names
    strays = ("node_modules/", "labextension/lib/", ".venv/", ".tsbuildinfo", ".ipynb_checkpoints/")
    assert [name for name in sdist_names if any(stray in name for stray in strays)] == []


def test_nothing_in_the_wheel_names_the_folder_it_was_built_in(wheel):
    with zipfile.ZipFile(wheel) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert [name for name, data in contents.items() if bytes(REPOSITORY) in data] == []


def test_the_base_install_asks_for_no_model_runtime(wheel):
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(f"picsellia_jupyter-{VERSION}.dist-info/METADATA").decode()
    needed = [
        line.removeprefix("Requires-Dist: ")
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    ]
    assert any(name.startswith("picsellia<7") for name in needed)
    heavy = ("torch", "onnxruntime", "fastapi", "sqlalchemy", "jupyterlab", "notebook")
    assert [name for name in needed if name.startswith(heavy)] == []


@pytest.fixture(scope="module")
def prefix(wheel, tmp_path_factory):
    """Where the wheel is installed."""
    folder = tmp_path_factory.mktemp("prefix")
    pip = (sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--no-compile")
    run(*pip, "--ignore-installed", "--prefix", folder, wheel)
    return folder


def test_jupyter_finds_the_installed_server_extension(prefix, tmp_path):
    (packages,) = prefix.glob("**/site-packages")
    # It lists what the user, this environment and the system enable: here it is the user.
    folder = prefix / "etc" / "jupyter" / "jupyter_server_config.d"
    (tmp_path / folder.name).symlink_to(folder)
    listing = run(
        *(sys.executable, "-m", "jupyter", "server", "extension", "list"),
        JUPYTER_CONFIG_DIR=str(tmp_path),
        PYTHONPATH=str(packages),
    )
    mine = listing[listing.rindex("Validating picsellia_jupyter.labserver") :].splitlines()[:2]
    assert "OK" in mine[1]


def test_jupyterlab_finds_the_installed_extension_without_node(prefix, tmp_path):
    empty = str(tmp_path / "empty")
    listing = run(
        *(sys.executable, "-m", "jupyter", "labextension", "list"),
        JUPYTER_PATH=str(prefix / "share" / "jupyter"),
        JUPYTER_DATA_DIR=empty,
        JUPYTER_CONFIG_DIR=empty,
        JUPYTER_PREFER_ENV_PATH="0",
        PATH=str(Path(sys.executable).parent),
        NO_COLOR="1",
    )

    (line,) = (line for line in listing.splitlines() if "picsellia-jupyter" in line)
    assert f"v{VERSION}" in line
    assert "enabled" in line
    assert "OK" in line
