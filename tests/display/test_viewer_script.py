"""The script that goes into every output: small, and made of what stands beside it."""

import base64
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

import picsellia_jupyter.display
from picsellia_jupyter.display.viewer import packed

DISPLAY = Path(picsellia_jupyter.display.__file__).parent
EXTENSION = DISPLAY.parents[1] / "labextension"
MADE = {
    "viewer.min.js": 10_000,
    "viewer_compared.min.js": 13_000,
    "grid.min.js": 14_000,
    "grid_compared.min.js": 17_000,
}
"""What goes into outputs, and how many bytes it may be, minified."""
SCRIPTS = [path for path in DISPLAY.glob("*.js") if path.name not in MADE]


@pytest.mark.parametrize(("name", "most"), MADE.items())
def test_it_takes_little_of_an_output(name: str, most: int):
    text = (DISPLAY / name).read_text()
    assert len(text.encode()) <= most
    assert len(packed(text)) < 0.75 * most


@pytest.mark.parametrize("name", MADE)
def test_what_is_packed_comes_back(name: str):
    text = (DISPLAY / name).read_text()
    squeezed = re.search(r"atob\('([^']*)'\)", packed(text)).group(1)
    assert zlib.decompress(base64.b64decode(squeezed), wbits=-15).decode() == text


def test_it_can_stand_within_a_script_element():
    assert not set(packed("<!--</script>")) & set("<&")


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
