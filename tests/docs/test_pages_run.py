"""What the pages have one type runs, in one kernel, from the first page to the last."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs import models, pages

pytestmark = pytest.mark.journey

EXECUTED = [p for p in pages.pages() if pages.EXECUTED in p.read_text(encoding="utf-8")]
GIVEN = {
    "docs/howto/yolo.md": f"labels = {models.LABELS}",
    "docs/predictions.md": "other = reviewed = found",
    "docs/review.md": 's.sdk.create_dataset("digits").create_version("v2")',
}
"""What is there before a page begins, such as what a block makes that is not run."""
SPELT = {
    "docs/review.md": {
        "my-line": "digits-detector",
        "seven": "7",
        '"one"': '"1"',
        # The local platform has one user.
        "--to ann --to bob": "--to local",
        "--to ann": "--to local",
    }
}
"""What a reader of a page is to put in the place of names."""
REMOTE = "docs/howto/remote-gpu.md"
LONG = {"docs/howto/keras.md", "docs/howto/torchvision.md", REMOTE}
"""Pages that start more serving kernels."""


@pytest.mark.parametrize("page", EXECUTED, ids=lambda path: path.relative_to(pages.ROOT).as_posix())
def test_every_block_of_the_page_runs(page: Path, request: pytest.FixtureRequest):
    name = page.relative_to(pages.ROOT).as_posix()
    if name in LONG and not request.getfixturevalue("long"):
        pytest.skip("takes long: `make notebooks` runs it")
    kernel = request.getfixturevalue("kernel")
    names = dict(SPELT.get(name, {}))
    if name == REMOTE:
        names["https://gpu-box:8888"] = request.getfixturevalue("elsewhere").url
    blocks = [block for block in pages.blocks(page) if block.language == "python" and block.runs]
    assert blocks
    kernel.run(GIVEN.get(name, "pass"))
    for block in blocks:
        said = kernel.run(spelt(block.source, names))
        assert not re.search(r"[1-9]\d* failed", said), block.name


def spelt(source: str, names: dict[str, str]) -> str:
    for theirs, ours in names.items():
        source = source.replace(theirs, ours)
    return source


def test_most_how_to_guides_are_executed():
    assert len([page for page in EXECUTED if page.parent.name == "howto"]) >= 6
