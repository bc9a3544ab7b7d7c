"""The Lab extension's sources: one version, and a lock file that names no registry."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import picsellia_jupyter

REPOSITORY = Path(__file__).parents[2]
LABEXTENSION = REPOSITORY / "labextension"


@pytest.fixture(scope="module")
def package():
    return json.loads((LABEXTENSION / "package.json").read_text())


def test_python_and_typescript_have_the_same_version(package):
    assert package["version"] == picsellia_jupyter.__version__


def test_the_built_extension_goes_where_the_python_package_looks_for_it(package):
    (path,) = picsellia_jupyter._jupyter_labextension_paths()
    assert path["dest"] == package["name"]
    built = (LABEXTENSION / package["jupyterlab"]["outputDir"]).resolve()
    assert built == REPOSITORY / "picsellia_jupyter" / path["src"]


@pytest.mark.parametrize("name", ["yarn.lock", ".yarnrc.yml"])
def test_no_registry_is_written_down(name):
    text = (LABEXTENSION / name).read_text()
    assert re.findall(r"https?://\S+|npmRegistryServer", text) == []


def test_packages_run_no_scripts_when_they_are_installed():
    settings = (LABEXTENSION / ".yarnrc.yml").read_text().splitlines()
    assert {"enableScripts: false", "enableTelemetry: false"} <= set(settings)


def test_every_setting_schema_belongs_to_a_plugin(package):
    sources = "\n".join(path.read_text() for path in (LABEXTENSION / "src").glob("*.ts"))
    plugins = re.findall(rf"id: '{package['name']}:([\w-]+)'", sources)
    schemas = [path.stem for path in (LABEXTENSION / "schema").glob("*.json")]
    assert schemas
    assert set(schemas) <= set(plugins)


def test_it_is_compiled_against_the_oldest_jupyterlab_it_supports(package):
    floor = package["dependencies"]["@jupyterlab/application"].removeprefix("^")
    compiled = package["resolutions"]["@jupyterlab/application"]
    assert compiled.rsplit(".", 1)[0] == floor.rsplit(".", 1)[0]
    assert f"jupyterlab>={floor.rsplit('.', 1)[0]}," in (REPOSITORY / "pyproject.toml").read_text()


UNTRANSLATED = re.compile(
    r"(__\(|_n\(|description:|new Token<\w+>\(\s*'[^']*',)?\s*['`]([A-Z][^'`\n]* [^'`\n]*)['`]"
)
"""Words for people begin with a capital and have a blank; what may stand before them."""


def untranslated(source: str) -> list[str]:
    """Texts that people would see in English whatever their language is."""
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", source, flags=re.DOTALL)
    return [text for how, text in UNTRANSLATED.findall(code) if not how]


def test_every_text_of_the_lab_extension_can_be_translated():
    assert untranslated("say('Is it running?'); ok(trans.__('It is not.'))") == ["Is it running?"]
    found = {path.name: untranslated(path.read_text()) for path in LABEXTENSION.glob("src/*.ts")}
    assert {name: texts for name, texts in found.items() if texts} == {}
