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
SPELT = {"my-line": "digits-detector", "seven": "7", '"one"': '"1"'}
"""What the reader is to put in the place of names, on the page about reviews."""
LONG = {"docs/howto/keras.md", "docs/howto/torchvision.md"}
"""Pages that start a serving kernel more."""


@pytest.mark.parametrize("page", EXECUTED, ids=lambda path: path.relative_to(pages.ROOT).as_posix())
def test_every_block_of_the_page_runs(page: Path, request: pytest.FixtureRequest):
    name = page.relative_to(pages.ROOT).as_posix()
    if name in LONG and not request.getfixturevalue("long"):
        pytest.skip("takes long: --long runs it")
    kernel = request.getfixturevalue("kernel")
    blocks = [block for block in pages.blocks(page) if block.language == "python"]
    assert blocks
    kernel.run(GIVEN.get(name, "pass"))
    for block in blocks:
        if block.runs:
            source = spelt(block.source) if name == "docs/review.md" else block.source
            assert not re.search(r"[1-9]\d* failed", kernel.run(source)), block.name


def spelt(source: str) -> str:
    return re.sub("|".join(SPELT), lambda found: SPELT[found[0]], source)


def test_most_how_to_guides_are_executed():
    assert len([page for page in EXECUTED if page.parent.name == "howto"]) >= 6
