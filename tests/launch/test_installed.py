"""Whether Jupyter finds our part of it, and what to type where it does not."""

import json
from pathlib import Path

import pytest

import picsellia_jupyter
from picsellia_jupyter.domain.diagnosis import Fact
from picsellia_jupyter.launch import installed

NAMES = ("JupyterLab extension", "server extension", "kernel for serving")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A Jupyter folder, both of data and of configuration, that has all three."""
    write(tmp_path / "labextensions/picsellia-jupyter/package.json", version())
    write(tmp_path / "jupyter_server_config.d/picsellia_jupyter.json", enabled(True))
    write(tmp_path / "kernels/picsellia-serving/kernel.json", {})
    return tmp_path


def write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def version(number: str = picsellia_jupyter.__version__) -> dict[str, str]:
    return {"version": number}


def enabled(on: bool) -> dict:
    return {"ServerApp": {"jpserver_extensions": {"picsellia_jupyter.labserver": on}}}


def parts(folder: Path) -> dict[str, Fact]:
    return {fact.name: fact for fact in installed.parts_of_extension([folder], [folder])}


def test_a_whole_installation_has_nothing_amiss(folder: Path):
    assert [fact.remedy for fact in parts(folder).values()] == ["", "", ""]


def test_what_jupyter_does_not_find_is_to_be_installed_again(tmp_path: Path):
    found = parts(tmp_path)
    assert tuple(found) == NAMES
    assert {fact.value for fact in found.values()} == {"not installed"}
    assert {fact.remedy for fact in found.values()} == {
        "pip install --force-reinstall --no-deps picsellia_jupyter, then restart the Jupyter server"
    }


def test_an_extension_of_another_version_is_to_be_installed_again(folder: Path):
    write(folder / "labextensions/picsellia-jupyter/package.json", version("0.0.9"))
    fact = parts(folder)["JupyterLab extension"]
    assert fact.value.startswith("0.0.9 in ")
    assert fact.remedy.endswith("restart the Jupyter server and load the page anew")


def test_a_disabled_extension_is_to_be_enabled(folder: Path):
    off = {"disabledExtensions": {"picsellia-jupyter": True}}
    write(folder / "labconfig/page_config.json", off)
    write(folder / "jupyter_server_config.json", enabled(False))
    found = parts(folder)
    assert found["JupyterLab extension"].value == "disabled"
    assert found["JupyterLab extension"].remedy == "jupyter labextension enable picsellia-jupyter"
    assert found["server extension"].value.startswith("disabled by ")
    assert (
        found["server extension"].remedy
        == "jupyter server extension enable picsellia_jupyter.labserver"
    )


def test_broken_files_are_as_none(folder: Path):
    (folder / "labextensions/picsellia-jupyter/package.json").write_text("{")
    assert parts(folder)["JupyterLab extension"].value.startswith("of no version in ")


def test_versions_are_told_and_what_is_missing_is_no_fault_of_a_notebook():
    found = {fact.name: fact for fact in installed.versions()}
    assert found["picsellia_jupyter"].value == picsellia_jupyter.__version__
    assert {"python", "jupyter-server", "torch", "jupyterlab"} <= set(found)
    assert installed.version_of("no-such-package") == "not installed"
