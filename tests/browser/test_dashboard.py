"""The dashboard in real browsers: bins of time to choose, both themes, wide and narrow, live."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from picsellia_jupyter.handles.dashboard import DashboardView
from tests.browser.page import SCREENSHOTS
from tests.display.reports import full

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Page]:
    """The page of a full dashboard, without network."""
    context = chromium.new_context(viewport={"width": 1000, "height": 900}, offline=True)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(DashboardView(full()).to_html(tmp_path / "dashboard.html").as_uri())
    yield page
    context.close()
    assert complaints == []


def test_a_bar_opens_its_row_and_tells_how_to_see_its_images(opened: Page):
    bar = opened.get_by_role("group", name="Inferences per").get_by_role("button").nth(5)
    bar.click()
    chosen = opened.locator("tr.pxj-chosen")
    expect(chosen).to_be_visible()
    label = bar.get_attribute("aria-label") or ""
    expect(chosen).to_contain_text(label.split(" to ")[0])
    expect(opened.locator(".pxj-take code")).to_have_text(bar.get_attribute("data-take") or "-")
    expect(bar).to_have_attribute("aria-pressed", "true")


def test_keys_move_from_bar_to_bar_and_choose_one(opened: Page):
    bars = opened.get_by_role("group", name="Latency").get_by_role("button")
    bars.first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home", "ArrowRight"):
        opened.keyboard.press(key)
    expect(bars.nth(1)).to_be_focused()
    opened.keyboard.press("Enter")
    expect(bars.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(opened.locator("tbody tr.pxj-chosen")).to_have_count(1)


def test_the_bars_lie_over_the_bars_that_are_drawn(opened: Page):
    group = opened.get_by_role("group", name="Inferences per")
    picture = group.locator("xpath=preceding-sibling::img").bounding_box() or {}
    first, last = (group.get_by_role("button").nth(n).bounding_box() or {} for n in (0, -1))
    assert first["x"] - picture["x"] == pytest.approx(0.115 * picture["width"], abs=1)
    end = last["x"] + last["width"] - picture["x"]
    assert end == pytest.approx(0.965 * picture["width"], abs=1)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 380])
def test_axe_finds_nothing_wrong_and_nothing_is_wider_than_the_page(
    opened: Page, theme: str, width: int
):
    opened.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    opened.set_viewport_size({"width": width, "height": 900})
    opened.evaluate("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    opened.screenshot(path=SCREENSHOTS / f"dashboard-{width}-{theme}.png", full_page=True)
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    found = Axe().run(opened).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


FURNISH = """\
%load_ext picsellia_jupyter
import time
from picsellia_jupyter import Session
from picsellia_jupyter.demo.catalog import ground_truth, pages
from picsellia_jupyter.demo.replaying import Replay
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage

session = Session()
seed(session)
d = session.deploy("digits-detector", strategy="monitoring", name="live-line")
found = [PredictedImage(str(pages()[0]), ImageSize(640, 480), ground_truth(pages()[0]), 0.02, "")]
replay = Replay(session, d)
def play(count):
    replay.play(found, count, since=time.time() - 60, until=time.time(), seed=count)
play(3)"""


def test_a_live_dashboard_follows_keeps_open_what_is_open_and_ends_as_it_is(
    lab_page, jupyter_lab, write_notebook
):
    watched = "live = d.watch('1h', every_s=0.3)"
    write_notebook(jupyter_lab, "live.ipynb", FURNISH, watched)
    lab_page.open("live.ipynb")
    lab_page.run_all(timeout_s=120)
    page = lab_page.page
    board = page.locator(".pxj-dash")
    expect(board).to_contain_text("Inferences3")
    board.get_by_text("Numbers by time").click()
    expect(board.locator(".pxj-times table")).to_be_visible()

    lab_page.ask("play(4)")

    expect(board).to_contain_text("Inferences7", timeout=20_000)
    expect(board.locator(".pxj-times table")).to_be_visible()
    lab_page.screenshots("dashboard-live", cell=1)
    page.get_by_role("button", name="7d", exact=True).click()
    expect(board).to_contain_text("7 d until", timeout=20_000)
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".jp-OutputArea").nth(1)).to_contain_text("Live until")
    lab_page.wait_for_answer("live.is_live", "False")
    kinds = [set(out.get("data", {})) for out in lab_page.cells()[1].outputs]
    assert kinds == [{"text/plain"}, {"text/html", "text/plain"}]
