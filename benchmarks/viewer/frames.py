"""The viewer in Chromium: frames while the slider moves, and what it asks of the network."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

# The slider is moved in each frame; what a frame takes is the time from one to the next.
MOVING = """async moves => {
    const root = document.querySelector('.pxj-viewer').shadowRoot;
    const slider = root.querySelector('input[type=range]');
    const frame = () => new Promise(requestAnimationFrame);
    const took = [];
    let last = await frame();
    for (let move = 0; move < moves; move++) {
        slider.value = move % 2 ? 0.01 : 0.02;
        slider.dispatchEvent(new Event('input'));
        const now = await frame();
        took.push(now - last);
        last = now;
    }
    return took.slice(2).sort((a, b) => a - b)[(took.length - 2) >> 1];
}"""
POINTING = """moves => {
    const canvas = document.querySelector('.pxj-viewer').shadowRoot.querySelector('canvas');
    const box = canvas.getBoundingClientRect();
    const took = [];
    for (let move = 0; move < moves; move++) {
        const clientX = box.left + (box.width * (move % 37)) / 37;
        const clientY = box.top + (box.height * (move % 23)) / 23;
        const event = new PointerEvent('pointermove', { clientX, clientY });
        const begun = performance.now();
        canvas.dispatchEvent(event);
        took.push(performance.now() - begun);
    }
    return took.reduce((a, b) => a + b) / moves;
}"""
DRAWN = "document.querySelector('.pxj-viewer').shadowRoot.querySelector('canvas').width > 300"


@dataclass(frozen=True, slots=True)
class Frames:
    """What was seen of one output."""

    slider_ms: float
    """From one frame to the next while the slider moves: the median, the least of three."""
    pointer_ms: float
    """Mean of a move of the pointer, the shape and its words included; the least of three."""
    requests: int
    """To anywhere but the page's own file and its own data."""


@contextmanager
def chromium() -> Iterator[Browser | None]:
    """A browser, or None where none is installed."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def watch(browser: Browser, html: str, moves: int) -> Frames:
    """Move the slider and the pointer over an output."""
    asked: list[str] = []
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.on("request", lambda request: asked.append(request.url))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(f"<!doctype html><meta charset=utf-8>{html}", encoding="utf-8")
        page.goto(path.as_uri())
        page.wait_for_function(DRAWN)
        # What else runs on the machine only ever makes frames longer.
        slider_ms = min(page.evaluate(MOVING, moves) for _ in range(3))
        pointer_ms = min(page.evaluate(POINTING, moves) for _ in range(3))
    page.close()
    ours = ("file:", "data:", "blob:")
    outside = [address for address in asked if not address.startswith(ours)]
    return Frames(float(slider_ms), float(pointer_ms), len(outside))
