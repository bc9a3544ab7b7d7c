"""Takes the documentation's pictures from a real JupyterLab: `make pictures`.

Looks as a person does: lines are typed, run, and what is shown is photographed.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import Locator, Page, expect, sync_playwright

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.demo.cameras import taken
from picsellia_jupyter.demo.replaying import Replay
from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.session import Session
from tests.browser.conftest import CHROMIUM_FLAGS
from tests.browser.page import JupyterPage
from tests.browser.server import REPOSITORY, JupyterServer, running_jupyter

IMAGES = REPOSITORY / "docs" / "images"
LARGEST_BYTES = 1_500_000
"""All pictures together: they are part of the repository."""
DAY_S = 86_400
NAME = "digits-line"
SIZE = {"width": 960, "height": 700}


def main() -> int:
    """Take all of them; 1 where they are too large together."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, lab(Path(folder)) as page:
        film(page, IMAGES / "deploy.gif")
        take_dashboard(page)
        take_form(page)
        take_review(page)
        take_first_screen(page)
    total = sum(path.stat().st_size for path in IMAGES.iterdir())
    for path in sorted(IMAGES.iterdir()):
        sys.stdout.write(f"{path.stat().st_size:>9} {path.name}\n")
    sys.stdout.write(f"{total:>9} of at most {LARGEST_BYTES}\n")
    return 0 if total <= LARGEST_BYTES else 1


@contextmanager
def lab(folder: Path) -> Iterator[JupyterPage]:
    """A JupyterLab with the demo models, and images beside its notebooks."""
    with running_jupyter("lab", folder) as server, sync_playwright() as playwright:
        seed(Session(home=server.home))
        (server.root / "pages").mkdir()
        for path in catalog.pages()[:12]:
            shutil.copy(path, server.root / "pages")
        shutil.copy(catalog.pages()[19], server.root / "page.jpg")
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        page = JupyterPage(browser.new_page(viewport=SIZE), server)
        yield page
        browser.close()
        server.shut_kernels_down()


class Film:
    """Frames, and for how long each is shown."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []
        self._times_ms: list[int] = []

    def frame(self, time_ms: int) -> None:
        """Take one, unless nothing has changed: then the last one is shown longer."""
        taken = photograph(self._page)
        if self._frames and taken.tobytes() == self._frames[-1].tobytes():
            self._times_ms[-1] += time_ms
            return
        self._frames.append(taken)
        self._times_ms.append(time_ms)

    def save(self, path: Path) -> None:
        """One palette for all frames, so that only what changes is stored."""
        whole = Image.new("RGB", (SIZE["width"], SIZE["height"] * len(self._frames)))
        for number, one in enumerate(self._frames):
            whole.paste(one, (0, number * SIZE["height"]))
        palette = whole.quantize(255, method=Image.Quantize.MEDIANCUT, kmeans=1)
        made = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in self._frames]
        made[0].save(
            path, save_all=True, append_images=made[1:], duration=self._times_ms, loop=0,
            optimize=False, disposal=1,
        )  # fmt: skip


def film(page: JupyterPage, path: Path) -> None:
    """From a typed line to the dashboard."""
    open_empty(page, "film.ipynb")
    page.execute("application:toggle-left-area")
    made = Film(page.page)
    run(page, "%load_ext picsellia_jupyter")
    made.frame(600)
    line = f"d = %deploy digits-detector --threshold 0.3 --name {NAME}"
    for part in (line[:11], line[11:27], line[27:43], line[43:]):
        page.page.keyboard.type(part)
        made.frame(350)
    start(page)
    ready = page.cell(1).get_by_text("Ready after")
    deadline = time.monotonic() + 90
    while not ready.count() and time.monotonic() < deadline:
        made.frame(300)
        page.page.wait_for_timeout(400)
    made.frame(1_800)
    type_slowly(page, made, "%predict page.jpg")
    start(page)
    expect(page.page.locator("canvas").first).to_be_visible(timeout=90_000)
    show(page, page.cell(2))
    made.frame(2_500)
    page.page.set_viewport_size({"width": 960, "height": 1_000})
    shot(page.cell(2).locator(".jp-OutputArea-output").first, "viewer.png")
    page.page.set_viewport_size(SIZE)
    let_weeks_pass(page.server)
    type_slowly(page, made, "%monitor --last 7d")
    start(page)
    show(page, page.page.locator(".jp-OutputArea-output", has_text="inferences").last)
    made.frame(4_000)
    made.save(path)


def type_slowly(page: JupyterPage, made: Film, line: str) -> None:
    page.page.locator(".jp-Notebook .jp-Cell").last.scroll_into_view_if_needed()
    page.page.keyboard.type(line)
    made.frame(700)


def open_empty(page: JupyterPage, name: str, *sources: str) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in sources or ("",)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, page.server.root / name)
    page.open(name)
    page.cell(0).locator(".cm-content").click()


def run(page: JupyterPage, line: str) -> None:
    page.page.keyboard.type(line)
    start(page)
    page.wait_for_cell(line)


def start(page: JupyterPage) -> None:
    page.page.keyboard.press("Shift+Enter")


def show(page: JupyterPage, what: Locator) -> None:
    """Wait for it, have it at the top, and leave its pictures time to be drawn."""
    expect(what).to_be_visible(timeout=90_000)
    what.evaluate("element => element.scrollIntoView({block: 'start'})")
    page.page.wait_for_timeout(700)


def let_weeks_pass(server: JupyterServer) -> None:
    """A good week, and one of a camera that is out of focus."""
    session = Session(home=server.home)
    d = session.deployment(NAME)
    now = time.time()
    with tempfile.TemporaryDirectory() as folder:
        shots = [
            d.predict(
                taken(catalog.pages(), Path(folder) / name, is_shifted=blurred), monitor=False
            )
            for name, blurred in (("sharp", False), ("blurred", True))
        ]
        good, bad = ([one.image for one in found] for found in shots)
    replay = Replay(session, d)
    replay.play(good, 1_000, since=now - 21 * DAY_S, until=now - 7 * DAY_S, seed=1)
    replay.play(good, 260, since=now - 7 * DAY_S, until=now - 3 * DAY_S, seed=2)
    replay.play(bad, 200, since=now - 3 * DAY_S, until=now - 60, seed=3)
    replay.close()
    d.predict(catalog.pages()[:12])


def take_dashboard(page: JupyterPage) -> None:
    page.page.set_viewport_size({"width": 1100, "height": 1200})
    output = page.page.locator(".jp-OutputArea-output", has_text="inferences").last
    show(page, output)
    shot(output, "dashboard.png", height=1050)


def take_form(page: JupyterPage) -> None:
    page.page.set_viewport_size({"width": 1000, "height": 800})
    open_empty(page, "form.ipynb")
    run(page, "%load_ext picsellia_jupyter")
    page.page.keyboard.type("%deploy")
    start(page)
    form = page.page.locator("dialog .pxj-form")
    expect(form.get_by_role("button", name="Deploy", exact=True)).to_be_enabled(timeout=90_000)
    expect(form.locator(".pxj-checks")).to_contain_text("model-latest,")
    form.get_by_label("Model version", exact=True).select_option(label="digits-detector:0")
    expect(form.locator(".pxj-line")).to_contain_text("digits-detector:0")
    page.page.wait_for_timeout(700)
    box = form.bounding_box()
    assert box is not None
    around = {"x": box["x"] - 30, "y": box["y"] - 70}
    size = {"width": box["width"] + 60, "height": box["height"] + 100}
    keep(photograph(page.page, {**around, **size}), "form.png")
    form.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.page.locator("dialog .pxj-form")).to_have_count(0)


def take_review(page: JupyterPage) -> None:
    page.page.set_viewport_size({"width": 1150, "height": 800})
    open_empty(page, "review.ipynb")
    run(page, "%load_ext picsellia_jupyter")
    page.page.keyboard.type(f"%review {NAME}")
    start(page)
    deck = page.page.locator(".pxd").last
    expect(deck.get_by_role("button", name="Accept")).to_be_enabled(timeout=90_000)
    page.page.wait_for_timeout(700)
    shot(deck, "review.png")
    page.page.keyboard.press("Escape")


def take_first_screen(page: JupyterPage) -> None:
    """The sidebar beside a notebook with a deployment and a prediction."""
    page.page.set_viewport_size({"width": 1280, "height": 760})
    open_empty(page, "first.ipynb")
    run(page, "%load_ext picsellia_jupyter")
    run(page, "d = %deploy digits-detector --threshold 0.3 --name camera-2")
    page.page.keyboard.type("%predict page.jpg")
    start(page)
    canvas = page.page.locator("canvas").first
    expect(canvas).to_be_visible(timeout=90_000)
    page.execute("application:toggle-left-area")
    page.page.get_by_role("tab", name="Picsellia").click()
    expect(page.page.get_by_role("tree", name="Models and their versions")).to_be_visible()
    expect(page.page.locator("#picsellia-sidebar")).to_contain_text(NAME)
    page.cell(1).evaluate("element => element.scrollIntoView({block: 'start'})")
    page.page.wait_for_timeout(700)
    keep(photograph(page.page), "quickstart.png")


def photograph(page: Page, clip: dict[str, float] | None = None) -> Image.Image:
    raw = page.screenshot(animations="disabled", clip=clip)
    return Image.open(io.BytesIO(raw)).convert("RGB")


def shot(what: Locator, name: str, *, height: int | None = None) -> None:
    """A picture of one thing."""
    taken = Image.open(io.BytesIO(what.screenshot(animations="disabled"))).convert("RGB")
    if height is not None:
        taken = taken.crop((0, 0, taken.width, min(height, taken.height)))
    keep(taken, name)


def keep(taken: Image.Image, name: str) -> None:
    """In few colours, which shows no difference in a page of text."""
    taken.quantize(192, dither=Image.Dither.NONE).save(IMAGES / name, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
