"""The circle of a deployment: a ring, a column where it is narrow, and in JupyterLab."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from picsellia_jupyter.domain.pipelines import Newest, PipelineFacts, RunNow
from picsellia_jupyter.handles.pipelines import PipelineView
from picsellia_jupyter.launch import local_platform
from tests.browser.page import SCREENSHOTS, JupyterPage
from tests.browser.server import JupyterServer

pytestmark = [pytest.mark.browser, pytest.mark.journey]

GATE = (
    "Promote only if ap_50_95 is better by more than 0.02, with 95 % confidence, on at least "
    "150 images (reviewed or held out)."
)
FACTS = PipelineFacts(
    deployment="press-<b>line</b>", state="ready", predictions=12840, images=12840, to_review=318,
    reviewed=12, submitted=150, feedback=True, champion="digits-detector:0",
    champion_predictions=12840, datasets={"digits/v2": 1240}, training=True, threshold=150,
    untrained=40, runs=2, run=RunNow("RUNNING", "training", 0.42), policy="DEPLOY_SHADOW",
    is_policy_active=True, newest=Newest("digits-detector:1", "shadow", "served"),
    shadow="digits-detector:1", shadow_predictions=530, compared=162, gate=GATE,
)  # fmt: skip
FURNISH = """\
%load_ext picsellia_jupyter
from picsellia_jupyter import Session
from picsellia_jupyter.demo.seed import seed
session = Session()
seed(session)
d = session.deploy("digits-detector", strategy="monitoring", name="circle-line")
d.policy = "DEPLOY_SHADOW"
d.set_gate(by=0.02, at_least=150)"""


@pytest.fixture(scope="module")
def opened(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with the picture on it and nothing else."""
    context = chromium.new_context(offline=True)
    path = tmp_path_factory.mktemp("circle") / "page.html"
    path.write_text(
        "<!doctype html><html lang=en><meta charset=utf-8><title>Pipeline</title>"
        "<style>body{background:#fff;color:#000}@media (prefers-color-scheme:dark)"
        "{body{background:#111;color:#ddd}}</style>"
        f"<main><h1>Pipeline</h1>{PipelineView(FACTS)._repr_html_()}</main>"
    )
    page = context.new_page()
    page.goto(path.as_uri())
    yield page
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1040, 760, 380])
def test_axe_finds_nothing_wrong_and_nothing_is_wider_than_the_page(
    opened: Page, theme: str, width: int
):
    opened.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    opened.set_viewport_size({"width": width, "height": 900})
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    opened.screenshot(path=SCREENSHOTS / f"pipeline-{width}-{theme}.png", full_page=True)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(opened).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


def test_it_is_a_ring_where_there_is_room_and_a_column_where_there_is_none(opened: Page):
    parts = opened.get_by_role("listitem")
    expect(parts).to_have_count(7)
    opened.set_viewport_size({"width": 1040, "height": 900})
    wide = [parts.nth(n).bounding_box() or {} for n in range(7)]
    lefts = [round(box["x"]) for box in wide]
    assert lefts[0] < lefts[1] < lefts[2] < lefts[3]
    assert lefts[3:] == [lefts[3], lefts[3], lefts[2], lefts[1]]
    assert wide[4]["y"] > wide[3]["y"] + wide[3]["height"]
    opened.set_viewport_size({"width": 380, "height": 900})
    narrow = [parts.nth(n).bounding_box() or {} for n in range(7)]
    assert len({round(box["x"]) for box in narrow}) == 1
    tops = [box["y"] for box in narrow]
    assert tops == sorted(tops)


def test_its_text_can_be_selected_and_names_are_text(opened: Page):
    opened.get_by_text("digits-detector:0", exact=True).dblclick(position={"x": 20, "y": 10})
    assert "digits" in str(opened.evaluate("getSelection().toString()"))
    assert opened.locator(".pxj b").count() == 0
    expect(opened.get_by_text("press-<b>line</b>").first).to_be_visible()


def test_the_magic_shows_it_in_jupyterlab_and_the_file_keeps_it(
    jupyter_lab: JupyterServer, lab_page: JupyterPage, write_notebook
):
    write_notebook(jupyter_lab, "circle.ipynb", FURNISH, "%pipeline circle-line")
    try:
        lab_page.open("circle.ipynb")
        lab_page.run_all(timeout_s=120)
        shown = lab_page.cell(1).get_by_role("group", name="Pipeline of circle-line")
        expect(shown.get_by_text("New versions become the shadow.")).to_be_visible()
        expect(shown).to_contain_text("Promote only if ap_50_95 is better by more than 0.02")
        expect(shown.get_by_role("listitem")).to_have_count(7)
        lab_page.screenshots("pipeline-lab", cell=1)
        # Returns once the server has it.
        lab_page.execute("docmanager:save")
        lab_page.page.reload()
        expect(shown.get_by_text("New versions become the shadow.")).to_be_visible()
    finally:
        local_platform.stop(jupyter_lab.home)
