"""Sixty payloads in names, labels, EXIF and models: nothing runs, and nothing is asked for."""

from __future__ import annotations

import base64
import re
from itertools import repeat
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser.page import JupyterPage
from tests.browser.payloads import PAYLOADS
from tests.browser.server import REPOSITORY, JupyterServer

pytestmark = [pytest.mark.browser, pytest.mark.journey]

SOURCE = f"""
import sys; sys.path.insert(0, {str(REPOSITORY)!r})
from IPython.display import display
from tests.browser.hostile import outputs
for html in outputs("hostile"):
    display({{"text/html": html, "text/plain": "hostile"}}, raw=True)
"""
TRAP = "window.ran = 0; window.pwned = () => { window.top.ran += 1; };"


class Watched:
    """A page with a trap, and what it asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        page.add_init_script(TRAP)
        page.on("request", lambda request: self.asked.append(request.url))

    def caught(self) -> list[str]:
        """What ran, and what was asked for that only a payload asks for."""
        ran = self.page.evaluate("window.ran")
        return [f"{ran} ran"] * bool(ran) + [url for url in self.asked if "pwned" in url[:200]]

    def use_everything(self) -> None:
        """Open each image large, look at each shape, move each slider, with the keyboard."""
        page = self.page
        page.locator(".tile button").first.click()
        for _ in PAYLOADS:
            page.keyboard.press("ArrowDown")
            page.keyboard.press("ArrowRight")
        page.keyboard.press("Escape")
        for canvas in page.get_by_role("application").all():
            canvas.press("ArrowDown")
        for slider in page.get_by_label("Confidence").filter(visible=True).all():
            slider.fill("0.1")
        for order in page.get_by_label("Sort by").all():
            order.select_option("Most objects")


@pytest.fixture(scope="module")
def saved(chromium: Browser, jupyter_lab: JupyterServer) -> Path:
    """The notebook as it was run, watched and saved in JupyterLab."""
    cells = [nbformat.v4.new_code_cell(SOURCE)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, jupyter_lab.root / "hostile.ipynb")
    context = chromium.new_context()
    page = JupyterPage(context.new_page(), jupyter_lab)
    watched = Watched(page.page)
    page.open("hostile.ipynb")
    page.run_all()
    watched.use_everything()
    assert watched.caught() == []
    page.execute("docmanager:save")
    assert page.complaints() == []
    context.close()
    jupyter_lab.shut_kernels_down()
    return jupyter_lab.root / "hostile.ipynb"


def is_caught(watched: Watched, payload: str, path: Path) -> bool:
    """Whether a page made of a payload runs it or asks for what it wants."""
    path.write_text(f'<!doctype html><div title="{payload}">{payload}</div>', "utf-8")
    watched.asked.clear()
    try:
        watched.page.goto(path.as_uri())
        return bool(watched.caught())
    except Error:  # it has led elsewhere
        return True


def test_the_trap_catches_them_where_they_are_taken_for_html(chromium: Browser, tmp_path: Path):
    context = chromium.new_context()
    watched = Watched(context.new_page())
    paths = [tmp_path / f"{number}.html" for number in range(len(PAYLOADS))]
    caught = sum(map(is_caught, repeat(watched), PAYLOADS, paths))
    context.close()
    assert caught >= 45


def test_reopened_and_trusted_nothing_runs(saved: Path, lab_page: JupyterPage):
    watched = Watched(lab_page.page)
    lab_page.open(saved.name)
    lab_page.page.locator("canvas").first.wait_for()
    watched.use_everything()
    assert watched.caught() == []


def test_in_a_notebook_that_is_not_trusted_nothing_runs(saved: Path, lab_page: JupyterPage):
    notebook = nbformat.read(saved, as_version=4)
    notebook.cells[0].source += "\n# sent by somebody"
    nbformat.write(notebook, saved.with_name("hostile-sent.ipynb"))
    watched = Watched(lab_page.page)
    lab_page.open("hostile-sent.ipynb")
    lab_page.page.locator(".jp-OutputArea img").first.wait_for()
    expect(lab_page.page.locator("canvas")).to_have_count(0)
    assert watched.caught() == []


def test_on_a_converted_page_nothing_runs(saved: Path, chromium: Browser, tmp_path: Path):
    # The template without libraries from elsewhere.
    text, _ = HTMLExporter(template_name="basic").from_filename(str(saved))
    path = tmp_path / "hostile.html"
    path.write_text(f"<!doctype html><meta charset=utf-8>{text}", encoding="utf-8")
    context = chromium.new_context()
    watched = Watched(context.new_page())
    watched.page.goto(path.as_uri())
    watched.page.locator("canvas").first.wait_for()
    watched.use_everything()
    assert watched.caught() == []
    assert [url for url in watched.asked if not url.startswith(("file:", "data:", "blob:"))] == []
    context.close()


def test_nothing_of_their_exif_is_in_the_notebook(saved: Path):
    text = saved.read_text(encoding="utf-8")
    pictures = re.findall(r"data:image/\w+;base64,([\w+/=]+)", text)
    assert len(pictures) >= 160
    assert all(b"pwned" not in base64.b64decode(picture) for picture in pictures)
