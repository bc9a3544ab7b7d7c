"""The grid of many images in a plain page without network: what is drawn, asserted by pixels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect

from picsellia_jupyter.domain.predictions import Detections
from picsellia_jupyter.handles.predictions import Predictions
from tests.browser.gallery import BOX, COLOURS, WIDTH, gallery, shade
from tests.browser.page import SCREENSHOTS
from tests.browser.viewer_page import PIXEL, THEMES, ViewerPage

pytestmark = pytest.mark.browser

EDGE = (BOX[0], 240)
MIDDLE = (320, 240)


class GridPage(ViewerPage):
    """A page with one grid."""

    def open(self, found: Predictions) -> None:
        self.show(found._repr_mimebundle_()["text/html"])

    def tile(self, place: int) -> Locator:
        """The n-th tile as it stands now."""
        return self.page.get_by_role("listitem").nth(place)

    def names(self) -> list[str]:
        return self.page.locator(".name").all_inner_texts()

    def colour(self, canvas: Locator, place: tuple[int, int]) -> tuple[int, ...]:
        self.settle()
        return tuple(canvas.evaluate(PIXEL, [*place, WIDTH]))

    def sort_by(self, order: str) -> None:
        self.page.get_by_label("Sort by").select_option(order)

    def slide_to(self, value: float) -> None:
        self.page.get_by_label("Confidence").filter(visible=True).fill(str(value))
        self.settle()

    def large(self) -> Locator:
        return self.page.get_by_role("application")


@pytest.fixture(scope="module")
def window(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GridPage]:
    page = GridPage(chromium, tmp_path_factory.mktemp("grid"))
    yield page
    page.context.close()


@pytest.fixture
def grid(window: GridPage) -> Iterator[GridPage]:
    window.begin()
    yield window
    assert window.complaints == []


def near(seen: tuple[int, ...], wanted: tuple[int, ...], *, by: int = 16) -> bool:
    return max(abs(a - b) for a, b in zip(seen, wanted, strict=True)) <= by


def test_each_tile_shows_its_photo_and_its_shapes(grid: GridPage, tmp_path: Path):
    grid.open(gallery(tmp_path / "photos"))

    for number in (0, 5):
        canvas = grid.tile(number).locator("canvas")
        assert near(grid.colour(canvas, EDGE), COLOURS[0], by=60)
        assert near(grid.colour(canvas, MIDDLE), shade(number), by=4)
    expect(grid.tile(0)).to_contain_text("2 objects")
    expect(grid.tile(1)).to_contain_text("1 object")


def test_the_slider_holds_for_every_tile(grid: GridPage, tmp_path: Path):
    grid.open(gallery(tmp_path / "photos"))

    grid.slide_to(0.92)

    assert near(grid.colour(grid.tile(0).locator("canvas"), EDGE), COLOURS[0], by=60)
    assert near(grid.colour(grid.tile(1).locator("canvas"), EDGE), shade(1), by=4)
    expect(grid.tile(1)).to_contain_text("0 objects")
    grid.slide_to(0.1)
    expect(grid.tile(0)).to_contain_text("3 objects")


def test_tiles_are_sorted_by_what_is_over_the_slider(grid: GridPage, tmp_path: Path):
    grid.open(gallery(tmp_path / "photos", 7))

    grid.sort_by("Lowest confidence")
    assert grid.names()[:2] == ["part-000.jpg", "part-003.jpg"]
    grid.sort_by("Most objects")
    assert grid.names()[:3] == ["part-000.jpg", "part-003.jpg", "part-006.jpg"]
    grid.slide_to(0.75)
    grid.sort_by("Lowest confidence")
    assert grid.names()[0] == "part-003.jpg"
    grid.sort_by("As predicted")
    assert grid.names() == [f"part-{number:03}.jpg" for number in range(7)]


def test_tiles_are_sorted_by_what_others_found(grid: GridPage, tmp_path: Path):
    found = gallery(tmp_path / "photos", 4)
    shadow = {item.source: item.found for item in found}
    shadow[found[2].source] = found[2].found.take([])
    truth = {Path(item.source).name: item.found for item in found}
    wrong = found[1].found
    truth["part-001.jpg"] = Detections(wrong.classes, wrong.scores, wrong.boxes_xyxy / 9)
    grid.open(found.compared(shadow=shadow, truth=truth))

    grid.sort_by("Most disagreement")
    assert grid.names()[0] == "part-002.jpg"
    grid.sort_by("Most false positives")
    assert grid.names()[0] == "part-001.jpg"


def test_one_is_opened_large_and_the_arrow_keys_move_on(grid: GridPage, tmp_path: Path):
    grid.open(gallery(tmp_path / "photos"))

    grid.tile(2).get_by_role("button").click()
    expect(grid.large()).to_be_focused()
    assert near(grid.colour(grid.large(), MIDDLE), shade(2), by=4)
    grid.large().press("ArrowRight")
    expect(grid.page.get_by_text("4 of 12")).to_be_visible()
    assert near(grid.colour(grid.large(), MIDDLE), shade(3), by=4)
    assert near(grid.colour(grid.large(), EDGE), COLOURS[0], by=60)
    for _ in range(4):
        grid.large().press("ArrowLeft")
    expect(grid.page.get_by_text("12 of 12")).to_be_visible()
    grid.large().press("Escape")
    expect(grid.tile(11).get_by_role("button")).to_be_focused()


def test_a_threshold_set_in_the_large_one_holds_everywhere(grid: GridPage, tmp_path: Path):
    grid.open(gallery(tmp_path / "photos"))
    grid.tile(0).get_by_role("button").click()
    grid.slide_to(0.1)
    grid.large().press("ArrowRight")
    expect(grid.page.get_by_label("Confidence").filter(visible=True)).to_have_value("0.1")
    grid.button("Back to the grid").click()
    expect(grid.tile(0)).to_contain_text("3 objects")


def test_the_grid_is_walked_with_the_arrow_keys(grid: GridPage, tmp_path: Path):
    grid.open(gallery(tmp_path / "photos"))
    grid.page.get_by_label("Sort by").focus()
    grid.page.keyboard.press("Tab")
    expect(grid.tile(0).get_by_role("button")).to_be_focused()
    grid.page.keyboard.press("ArrowRight")
    expect(grid.tile(1).get_by_role("button")).to_be_focused()
    wide = grid.page.evaluate("""
        [...document.querySelector('.pxj-viewer').shadowRoot.querySelectorAll('.tile')]
            .findIndex((tile, i, all) => i && tile.offsetTop > all[0].offsetTop)
    """)
    grid.page.keyboard.press("ArrowDown")
    expect(grid.tile(1 + wide).get_by_role("button")).to_be_focused()
    grid.page.keyboard.press("End")
    expect(grid.tile(11).get_by_role("button")).to_be_focused()
    grid.page.keyboard.press("Enter")
    expect(grid.large()).to_be_focused()


def test_only_what_is_seen_is_drawn(grid: GridPage, tmp_path: Path):
    grid.open(gallery(tmp_path / "photos", 100))
    last = grid.tile(99).locator("canvas")
    assert last.evaluate("canvas => canvas.tile.scene === undefined")
    last.scroll_into_view_if_needed()
    grid.page.wait_for_function(
        "canvas => canvas.width != 300 && canvas.tile.scene.photo.complete",
        arg=last.element_handle(),
    )
    assert near(grid.colour(last, MIDDLE), shade(99), by=4)


@pytest.mark.parametrize(("width", "zoom"), [(320, 1), (550, 2)], ids=["narrow", "200 %"])
def test_nothing_is_cut_off_in_a_narrow_column(chromium: Browser, tmp_path: Path, width, zoom):
    found = gallery(tmp_path / "photos")
    context = chromium.new_context(
        viewport={"width": width, "height": 700}, device_scale_factor=zoom, offline=True
    )
    page = context.new_page()
    for path in (found.to_html(tmp_path / "grid.html"), found[0].to_html(tmp_path / "one.html")):
        page.goto(path.as_uri())
        page.locator("canvas").first.wait_for()
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            page.screenshot(path=SCREENSHOTS / f"{path.stem}-{width}-{theme}.png", full_page=True)
    context.close()


def violations(page: Page) -> list[str]:
    """What axe finds wrong with a page."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['html'] for node in one['nodes']][:3]}" for one in found]


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_wrong(grid: GridPage, tmp_path: Path, theme: str):
    found = gallery(tmp_path / "photos", 6)
    truth = {item.source: item.found for item in found}
    grid.open(found.compared(truth=truth))
    grid.page.evaluate(
        "css => { document.querySelector('style').textContent = css }", THEMES[theme]
    )
    assert violations(grid.page) == []
    grid.tile(0).get_by_role("button").click()
    expect(grid.large()).to_be_focused()
    assert violations(grid.page) == []


def test_axe_finds_nothing_wrong_with_pages_of_their_own(grid: GridPage, tmp_path: Path):
    found = gallery(tmp_path / "photos", 3)
    for path in (found.to_html(tmp_path / "grid.html"), found[0].to_html(tmp_path / "one.html")):
        grid.page.goto(path.as_uri())
        grid.canvas.wait_for()
        assert violations(grid.page) == []


def test_it_looks_like_this(grid: GridPage, tmp_path: Path):
    grid.open(gallery(tmp_path / "photos", 30))
    grid.screenshots("grid")
    grid.tile(3).get_by_role("button").click()
    expect(grid.large()).to_be_focused()
    grid.screenshots("grid-large")
