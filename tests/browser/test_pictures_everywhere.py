"""Pictures where notebooks are read: live, saved, untrusted, converted, and without scripts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbconvert import HTMLExporter
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.browser.gallery import BOX, COLOURS, WIDTH, shade
from tests.browser.page import SCREENSHOTS, JupyterPage
from tests.browser.server import REPOSITORY, JupyterServer
from tests.browser.viewer_page import PIXEL

pytestmark = [pytest.mark.browser, pytest.mark.journey]

SOURCES = (
    f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})\n"
    "from tests.browser.gallery import gallery\n"
    'found = gallery("photos", 12)\n'
    "found",
    "found[1]",
    'found[1].show(embed="thumb")',
    'found[1].show(embed="link")',
)
EDGE, MIDDLE = (BOX[0], 240), (320, 240)


def colour(canvas: Locator, place: tuple[int, int]) -> tuple[int, ...]:
    canvas.scroll_into_view_if_needed()
    twice = "() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))"
    canvas.page.evaluate(twice)
    return tuple(canvas.evaluate(PIXEL, [*place, WIDTH]))


def near(seen: tuple[int, ...], wanted: tuple[int, ...], *, by: int = 16) -> bool:
    return max(abs(a - b) for a, b in zip(seen, wanted, strict=True)) <= by


def check_that_it_is_drawn_and_answers(outputs: Locator) -> None:
    """Each of three outputs has its pixels, and the sliders change them."""
    for output, number in ((outputs.nth(0), 0), (outputs.nth(1), 1), (outputs.nth(2), 1)):
        canvas = output.locator("canvas").first
        canvas.wait_for()
        expect(canvas).not_to_have_js_property("width", 300)
        assert near(colour(canvas, EDGE), COLOURS[0], by=60)
        assert near(colour(canvas, MIDDLE), shade(number), by=6)
        output.get_by_label("Confidence").fill("0.99")
        assert near(colour(canvas, EDGE), shade(number), by=6)
        output.get_by_label("Confidence").fill("0.3")
    outputs.nth(0).get_by_role("button", name="part-002.jpg").click()
    expect(outputs.nth(0).get_by_role("application")).to_be_focused()
    assert near(colour(outputs.nth(0).get_by_role("application"), MIDDLE), shade(2), by=6)


def check_that_the_linked_photo_is_drawn(output: Locator) -> None:
    """JupyterLab has resolved the address that is relative to the notebook."""
    canvas = output.locator("canvas")
    canvas.wait_for()
    expect(canvas).not_to_have_js_property("width", 300)
    assert near(colour(canvas, EDGE), COLOURS[0], by=60)
    assert near(colour(canvas, MIDDLE), shade(1), by=6)
    assert "base64" not in output.evaluate("output => output.innerHTML")


def check_that_static_pictures_remain(outputs: Locator) -> None:
    """Boxes are in the pixels of what is seen, and nothing is interactive."""
    expect(outputs.locator("img")).to_have_count(15)
    expect(outputs.locator("canvas")).to_have_count(0)
    first = outputs.locator("img").first
    first.scroll_into_view_if_needed()
    expect(first).to_have_js_property("naturalWidth", 320)
    expect(first).to_have_js_property("complete", True)
    with Image.open(io.BytesIO(first.screenshot())) as seen:
        pixels = [
            tuple(map(int, pixel)) for pixel in np.asarray(seen.convert("RGB"))[seen.height // 2]
        ]
    edge, middle = (round(x * len(pixels) / WIDTH) for x, _ in (EDGE, MIDDLE))
    # A line two pixels wide falls between the pixels of the screen.
    assert any(near(pixel, COLOURS[0], by=60) for pixel in pixels[edge - 4 : edge + 5])
    assert near(pixels[middle], shade(0), by=10)
    text = outputs.first.inner_text()
    assert "part-000.jpg" in text
    assert "2 objects" in text


@pytest.fixture(scope="module")
def saved(
    chromium: Browser, jupyter_lab: JupyterServer, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A notebook that ran in JupyterLab and was saved there; trusted by that server."""
    write(jupyter_lab, "pictures.ipynb")
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = JupyterPage(context.new_page(), jupyter_lab)
    page.open("pictures.ipynb")
    page.run_all()
    check_that_it_is_drawn_and_answers(page.page.locator(".jp-OutputArea"))
    check_that_the_linked_photo_is_drawn(page.page.locator(".jp-OutputArea").nth(3))
    page.page.keyboard.press("Escape")
    page.screenshots("pictures-lab", cell=0)
    page.execute("docmanager:save")
    assert page.complaints() == []
    context.close()
    jupyter_lab.shut_kernels_down()
    return jupyter_lab.root / "pictures.ipynb"


def write(server: JupyterServer, name: str) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in SOURCES]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, server.root / name)


def test_reopened_with_its_kernel_gone_it_still_answers(saved: Path, lab_page: JupyterPage):
    lab_page.open("pictures.ipynb")
    lab_page.server.shut_kernels_down()
    assert lab_page.server.request("GET", "api/kernels").json() == []
    check_that_it_is_drawn_and_answers(lab_page.page.locator(".jp-OutputArea"))
    lab_page.screenshots("pictures-kernel-gone", cell=1)


def test_somebody_elses_notebook_keeps_the_static_pictures(saved: Path, lab_page: JupyterPage):
    notebook = nbformat.read(saved, as_version=4)
    notebook.cells[0].source += "\n# sent by somebody"
    nbformat.write(notebook, saved.with_name("sent.ipynb"))
    lab_page.open("sent.ipynb")
    outputs = lab_page.page.locator(".jp-OutputArea")
    outputs.locator("img").first.wait_for()
    check_that_static_pictures_remain(outputs)
    lab_page.screenshots("pictures-untrusted", cell=0)


def test_notebook_7_draws_them_too(notebook_page: JupyterPage):
    write(notebook_page.server, "pictures.ipynb")
    notebook_page.open("pictures.ipynb")
    notebook_page.run_all()
    outputs = notebook_page.page.locator(".jp-OutputArea")
    check_that_it_is_drawn_and_answers(outputs)
    slider = outputs.nth(1).get_by_label("Confidence")
    slider.focus()
    for key, value in (("ArrowRight", "0.31"), ("ArrowDown", "0.3"), ("Home", "0")):
        notebook_page.page.keyboard.press(key)
        expect(slider).to_have_value(value)
    canvas = outputs.nth(1).locator("canvas")
    canvas.focus()
    notebook_page.page.keyboard.press("h")
    assert near(colour(canvas, EDGE), shade(1), by=6)
    notebook_page.page.keyboard.press("h")
    notebook_page.screenshots("pictures-notebook-7", cell=1)


@pytest.fixture
def without_network(chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file in a window that reaches nothing else."""
    contexts: list[BrowserContext] = []

    def opened(path: Path, *, scripts: bool = True) -> Page:
        context = chromium.new_context(java_script_enabled=scripts, offline=True)
        contexts.append(context)
        context.route(lambda address: not address.startswith(("file:", "data:", "blob:")), _refuse)
        page = context.new_page()
        page.goto(path.as_uri(), wait_until="domcontentloaded")
        return page

    yield opened
    for context in contexts:
        context.close()


def _refuse(route: Route) -> None:
    route.abort()


@pytest.fixture(scope="module")
def converted(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The saved notebook as nbconvert makes a page of it, light and dark."""
    folder = tmp_path_factory.mktemp("converted")
    paths = {theme: folder / f"{theme}.html" for theme in ("light", "dark")}
    for theme, path in paths.items():
        page, _ = HTMLExporter(theme=theme).from_filename(str(saved))
        path.write_text(page, encoding="utf-8")
    return paths


def look_at(converted: dict[str, Path], without_network: Callable[..., Page], **how) -> None:
    """Write build/screenshots/pictures-{converted,stripped}-{light,dark}.png."""
    name, drawn = ("converted", "canvas") if how.get("scripts", True) else ("stripped", "img")
    for theme, path in converted.items():
        page = without_network(path, **how)
        page.locator(drawn).first.wait_for()
        page.screenshot(path=SCREENSHOTS / f"pictures-{name}-{theme}.png", full_page=True)


def test_converted_to_html_it_answers_without_any_network(converted, without_network):
    page = without_network(converted["light"])
    check_that_it_is_drawn_and_answers(page.locator(".jp-OutputArea"))
    look_at(converted, without_network)


def test_a_page_that_strips_scripts_keeps_the_static_pictures(converted, without_network):
    page = without_network(converted["light"], scripts=False)
    check_that_static_pictures_remain(page.locator(".jp-OutputArea"))
    look_at(converted, without_network, scripts=False)
