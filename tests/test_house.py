"""The rules of the house that no linter knows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import picsellia_jupyter

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "picsellia_jupyter"
SOURCES = [
    *PACKAGE.rglob("*.py"),
    *(ROOT / "tests").rglob("*.py"),
    *(ROOT / "benchmarks").rglob("*.py"),
    *(ROOT / "planted").rglob("*.py"),
    *(ROOT / "releasing").rglob("*.py"),
    *(ROOT / "labextension" / "src").rglob("*.ts"),
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_over_400_lines(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize("statement", ["import picsellia_jupyter", "{load_ext}"])
def test_importing_and_loading_the_extension_is_light(statement: str):
    load = (
        "from IPython.core.interactiveshell import InteractiveShell as S\n"
        "S.instance().run_line_magic('load_ext', 'picsellia_jupyter')"
    )
    heavy = ["torch", "onnxruntime", "matplotlib", "scipy", "picsellia", "ray", "pandas", "sklearn"]
    program = (
        statement.replace("{load_ext}", load)
        + f"\nimport sys; print([m for m in {heavy} if m in sys.modules])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_public_names_are_sorted_and_can_be_had():
    names = picsellia_jupyter.__all__
    assert names == sorted(names)
    for name in names:
        assert getattr(picsellia_jupyter, name) is not None


def test_every_module_that_the_architecture_names_exists():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:picsellia_jupyter|tests|benchmarks|labextension|notebooks)/[^`*]*)`", text
    )

    # Within the package the first word may be left out.
    short = re.findall(r"`([a-z]+/[a-z_/]+\.py)`", text)

    assert named
    assert short
    assert [path for path in named if not (ROOT / path).exists()] == []
    roots = (ROOT, ROOT / "picsellia_jupyter")
    assert [path for path in short if not any((root / path).exists() for root in roots)] == []


def test_contributing_tells_of_every_package_where_a_change_goes():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    folders = {path.parent.name for path in (ROOT / "picsellia_jupyter").glob("*/__init__.py")}

    assert [name for name in sorted(folders) if f"picsellia_jupyter/{name}/" not in text] == []


def test_every_magic_is_in_the_readme():
    from picsellia_jupyter.magics.extension import INNER, UMBRELLA, VERBS

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = [f"%{verb.name}" for verb in VERBS] + [f"%{UMBRELLA} {verb.name}" for verb in INNER]
    assert [name for name in named if name not in readme] == []


def test_no_html_is_escaped_outside_display():
    elsewhere = [
        path
        for path in PACKAGE.rglob("*.py")
        if "display" not in path.parts
        and re.search(r"html\.escape|import escape", path.read_text())
    ]
    assert elsewhere == []


def test_nothing_is_ever_unpickled():
    unpickling = re.compile(
        r"(pickle|dill|joblib|marshal|shelve)\.(load|loads|open|Unpickler)\b"
        r"|torch\.load\((?![^)]*weights_only=True)|weights_only=False|allow_pickle=True"
    )
    assert [p for p in PACKAGE.rglob("*.py") if unpickling.search(p.read_text("utf-8"))] == []
