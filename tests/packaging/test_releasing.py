"""What is looked at before a release, and what it says where something is wrong."""

from __future__ import annotations

import json
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

import picsellia_jupyter
from releasing import audits, contents, installs, licences
from releasing.checks import ROOT, Check, Verdict

VERSION = picsellia_jupyter.__version__


@pytest.fixture
def bare_wheel(tmp_path: Path) -> Path:
    path = tmp_path / f"picsellia_jupyter-{VERSION}-py3-none-any.whl"
    metadata = (
        "Metadata-Version: 2.4\nName: picsellia_jupyter\n"
        "Requires-Dist: httpx<1,>=0.27\n"
        "Requires-Dist: torch>=2.10 ; extra == 'serving'\n"
        'Requires-Dist: scipy>=1.13; extra == "monitoring"\n'
        "Requires-Dist: ray[serve]>=2.52; extra == 'ray'\n"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("picsellia_jupyter/__init__.py", "")
        archive.writestr(f"picsellia_jupyter-{VERSION}.dist-info/METADATA", metadata)
        archive.writestr("labextension/node_modules/left-pad/index.js", "")
    return path


def test_a_wheel_that_lacks_something_or_has_a_stray_says_which(bare_wheel: Path):
    found = contents.of_wheel(bare_wheel, VERSION)
    assert found.verdict is Verdict.FAILED
    assert "labextensions/picsellia-jupyter/package.json is missing" in found.note
    assert "more" in found.note


def test_strays_and_large_files_of_a_source_distribution_are_named(tmp_path: Path):
    path = tmp_path / "picsellia_jupyter-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in contents.SDIST:
            (tmp_path / "file").write_bytes(b"")
            archive.add(tmp_path / "file", f"picsellia_jupyter-1/{name}")
        (tmp_path / "file").write_bytes(bytes(contents.LARGEST + 1))
        archive.add(tmp_path / "file", "picsellia_jupyter-1/tests/photos.bin")
        archive.add(tmp_path / "file", "picsellia_jupyter-1/labextension/lib/index.js")
    found = contents.of_sdist(path)
    assert found.verdict is Verdict.FAILED
    assert "labextension/lib/index.js is a product of a build" in found.note
    assert "tests/photos.bin has 2.0 MB" in found.note


def test_a_version_without_a_section_in_the_changelog_is_not_released():
    assert contents.of_changelog("Unreleased").verdict is Verdict.PASSED
    assert "no section '## 99.0.0'" in contents.of_changelog("99.0.0").note


@pytest.mark.parametrize(
    "licence",
    [
        "GNU Affero General Public License v3", "AGPL-3.0-only", "Business Source License 1.1",
        "BUSL-1.1", "Elastic License 2.0", "Server Side Public License", "SSPL-1.0",
        "Apache-2.0 WITH Commons Clause", "CC-BY-NC-4.0",
    ],
)  # fmt: skip
def test_licences_that_bind_users_are_denied(licence: str):
    assert licences.DENIED.search(licence)


@pytest.mark.parametrize(
    "licence",
    ["MIT", "BSD License", "Boost Software License 1.0 (BSL-1.0)", "Apache-2.0", "MPL-2.0", "PSF"],
)
def test_ordinary_licences_are_not(licence: str):
    assert not licences.DENIED.search(licence)


def test_what_is_bundled_into_the_lab_extension_is_looked_at():
    found = licences.of_lab_extension()
    assert found.verdict is Verdict.PASSED
    assert "none denied" in found.note


def tool(folder: Path, name: str, *, says: str, status: int, into: str = "/dev/stdout") -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\ncat > {into} <<'END'\n{says}\nEND\nexit {status}\n")
    path.chmod(0o755)


def test_an_audit_that_reaches_nobody_is_neither_passed_nor_failed(tmp_path, monkeypatch):
    monkeypatch.setattr(audits, "BUILD", tmp_path)
    tool(tmp_path, "pip-audit", says="ServiceError: Max retries exceeded", status=1)
    found = audits.of_python(tmp_path, tmp_path)
    assert found.verdict is Verdict.NOT_ASKED
    assert "nobody could be asked: ServiceError" in found.note


def test_a_known_hole_fails_and_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(audits, "BUILD", tmp_path)
    hole = {"name": "torch", "version": "2.9", "vulns": [{"id": "CVE-2026-24747"}]}
    # The words after --path FOLDER --format=json --output are the file's.
    tool(tmp_path, "pip-audit", says=json.dumps({"dependencies": [hole]}), status=1, into='"$5"')
    found = audits.of_python(tmp_path, tmp_path)
    assert found == Check("pip-audit", Verdict.FAILED, "torch 2.9: CVE-2026-24747")


def test_what_a_python_without_torch_is_given_is_read_from_the_wheel(bare_wheel: Path):
    assert installs.needed(bare_wheel) == ["httpx<1,>=0.27", "torch>=2.10", "scipy>=1.13"]


def test_a_python_that_is_not_here_is_not_passed(bare_wheel: Path):
    found = installs.of("3.10", None, bare_wheel)
    assert found.verdict is Verdict.NOT_ASKED


def test_every_python_that_is_promised_is_tried():
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8")
    assert f'requires-python = ">={installs.PYTHONS[0]}"' in text


def test_each_extra_that_all_stands_for_is_installed_where_torch_is_left_out():
    said = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    [extras] = re.findall(r'^all = \["picsellia_jupyter\[([\w,]+)\]"\]', said, re.MULTILINE)
    assert tuple(extras.split(",")) == installs.EXTRAS
