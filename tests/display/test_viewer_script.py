"""The script that goes into every output: small, and made of what stands beside it."""

import shutil
import subprocess
from pathlib import Path

import pytest

import picsellia_jupyter.display

DISPLAY = Path(picsellia_jupyter.display.__file__).parent
EXTENSION = DISPLAY.parents[1] / "labextension"
MADE = {"viewer.min.js": 15_700, "grid.min.js": 19_500}
"""What goes into outputs, and how many bytes it may have."""
SCRIPTS = [path for path in DISPLAY.glob("*.js") if path.name not in MADE]


@pytest.mark.parametrize(("name", "most"), MADE.items())
def test_it_is_small(name: str, most: int):
    assert len((DISPLAY / name).read_bytes()) <= most


@pytest.mark.parametrize("name", MADE)
def test_it_can_stand_within_a_script_element(name: str):
    text = (DISPLAY / name).read_text()
    assert text.isascii()
    assert "</script" not in text
    assert "<!--" not in text


def test_it_is_made_of_the_modules_beside_it(tmp_path: Path):
    if not (EXTENSION / "node_modules" / "@rspack").exists() or not shutil.which("node"):
        pytest.fail("The script cannot be made anew; run `make setup`, which takes Node.")
    subprocess.run(["node", "viewer.mjs", str(tmp_path)], cwd=EXTENSION, check=True, timeout=60)
    for name in MADE:
        made = (tmp_path / name).read_text()
        assert made == (DISPLAY / name).read_text(), "run `make viewer`"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_its_modules_are_at_most_400_lines(path: Path):
    assert len(path.read_text().splitlines()) <= 400


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_its_modules_never_make_html_of_text_nor_ask_anybody(path: Path):
    text = path.read_text()
    making = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write")
    asking = (
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
        "sendBeacon",
        "import(",
        "eval(",
        "Function(",
    )
    forbidden = making + asking
    assert [word for word in forbidden if word in text] == []
