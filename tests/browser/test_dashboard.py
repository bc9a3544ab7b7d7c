"""The dashboard in real browsers: bins of time to choose, both themes, wide and narrow, live."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from picsellia_jupyter.handles.dashboard import DashboardView
from picsellia_jupyter.workflows.evaluation import reports
from tests.browser.page import SCREENSHOTS
from tests.display.reports import full
from tests.workflows.evaluation.reviewed import many, subject

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the page of a full dashboard is, drawn once."""
    view = DashboardView(full(), reports.report(many(60), subject(n=60)))
    return view.to_html(tmp_path_factory.mktemp("pages") / "dashboard.html").as_uri()


@pytest.fixture
def opened(chromium: Browser, address: str) -> Iterator[Page]:
    """The page of a full dashboard, without network."""
    context = chromium.new_context(viewport={"width": 1000, "height": 900}, offline=True)
    page, complaints = context.new_page(), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(address)
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
    since, until = (bar.get_attribute(f"data-{end}") for end in ("since", "until"))
    told = opened.locator(".pxj-take")
    expect(told).to_have_text(f'Their images: d.predicted(since="{since}", until="{until}")')
    expect(bar).to_have_attribute("aria-pressed", "true")


def middle(bar) -> tuple[float, float]:
    box = bar.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize("by", ["pointer", "keys"])
def test_a_range_drawn_over_a_chart_tells_how_to_see_it_alone(opened: Page, by: str):
    bars = opened.get_by_role("group", name="Latency").get_by_role("button")
    if by == "pointer":
        opened.mouse.move(*middle(bars.nth(6)))
        opened.mouse.down()
        for place in (5, 3):
            opened.mouse.move(*middle(bars.nth(place)))
        expect(bars.nth(4)).to_have_attribute("aria-pressed", "true")
        opened.mouse.up()
    else:
        bars.first.focus()
        keys = ("ArrowRight",) * 3 + ("Shift+ArrowRight",) * 3 + ("Enter",)
        for key in keys:
            opened.keyboard.press(key)
    since = bars.nth(3).get_attribute("data-since")
    until = bars.nth(6).get_attribute("data-until")
    told = opened.locator(".pxj-take")
    expect(told).to_have_text(f'This range alone: d.dashboard(since="{since}", until="{until}")')
    expect(opened.locator("tr.pxj-chosen")).to_have_count(4)
    expect(bars.and_(opened.locator("[aria-pressed=true]"))).to_have_count(4)


def test_escape_and_a_plain_arrow_let_a_begun_range_go(opened: Page):
    bars = opened.get_by_role("group", name="Inferences per").get_by_role("button")
    bars.first.focus()
    for key in ("Shift+ArrowRight", "Escape", "ArrowRight", "Shift+ArrowRight", "ArrowLeft"):
        opened.keyboard.press(key)
    opened.keyboard.press("Enter")
    expect(opened.locator("tr.pxj-chosen")).to_have_count(1)
    expect(opened.locator(".pxj-take")).to_contain_text("Their images: ")


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


def drag(page: Page, first, last) -> None:
    first.scroll_into_view_if_needed()
    page.mouse.move(*middle(first))
    page.mouse.down()
    page.mouse.move(*middle(last), steps=4)
    page.mouse.up()


def last_until(bars) -> str | None:
    return bars.last.get_attribute("data-until")


FURNISH = """\
%load_ext picsellia_jupyter
import time
from PIL import Image
from picsellia_jupyter import Session
from picsellia_jupyter.demo.catalog import ground_truth, pages
from picsellia_jupyter.demo.replaying import Replay
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.domain.predictions import ImageSize, PredictedImage

session = Session()
seed(session)
d = session.deploy("digits-detector", strategy="monitoring", name="live-line")
page = pages()[0]
size = ImageSize(*Image.open(page).size)
found = [PredictedImage(str(page), size, ground_truth(page), 0.02, "")]
replay = Replay(session, d)
def play(count):
    replay.review(found * count, since=time.time() - 60, until=time.time())
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

    a_drawn_range_is_watched(page, board)
    a_clicked_bar_shows_its_images(lab_page, board)
    a_typed_range_is_watched_or_told_why_not(page, board)

    page.get_by_role("button", name="7d", exact=True).click()
    expect(board).to_contain_text("7 d until", timeout=20_000)
    expect(typed_range(page)).to_have_value("")
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.locator(".jp-OutputArea").nth(1)).to_contain_text("Live until")
    lab_page.wait_for_answer("live.is_live", "False")
    kinds = [set(out.get("data", {})) for out in lab_page.cells()[1].outputs]
    assert kinds == [{"text/plain"}, *[{"text/html", "text/plain"}] * 2]


def typed_range(page: Page):
    return page.get_by_role("textbox", name="Range")


def a_drawn_range_is_watched(page: Page, board) -> None:
    bars = board.get_by_role("group", name="Inferences per").get_by_role("button")
    first = bars.count() - 4
    since, until = bars.nth(first).get_attribute("data-since"), last_until(bars)
    drag(page, bars.nth(first), bars.last)
    expect(typed_range(page)).to_have_value(f"{since} to {until}")
    expect(board).to_contain_text(re.compile(r"[6-8](\.\d)? min until"), timeout=20_000)
    expect(board).to_contain_text("Inferences7")


def a_clicked_bar_shows_its_images(lab_page, board) -> None:
    board.get_by_role("button", name=re.compile(": [1-9]")).first.click()
    below = lab_page.page.locator(".jp-Cell").nth(1).locator(".jp-OutputArea-child").nth(2)
    expect(below.locator(".pxj-grid, .pxj-viewer").first).to_be_visible(timeout=20_000)
    lab_page.screenshots("dashboard-images", cell=1)
    found = (
        Axe()
        .run(lab_page.page, context=".jp-Cell:nth-of-type(2) .jp-OutputArea")
        .response["violations"]
    )
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []


def a_typed_range_is_watched_or_told_why_not(page: Page, board) -> None:
    typed_range(page).fill("2026-01-01 to 2026-01-02")
    typed_range(page).press("Enter")
    expect(board).to_contain_text("Inferencesnone", timeout=20_000)
    typed_range(page).fill("yesterday")
    typed_range(page).press("Enter")
    expect(page.get_by_text("Write a range as 2026-11-28T02:10 to")).to_be_visible()
