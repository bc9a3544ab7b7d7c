"""A page with the viewer on it and nothing else, without any network: what it shows and does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

from tests.browser.page import SCREENSHOTS

PIXELS = """(canvas, [places, size]) => {
    const scale = canvas.width / size;
    const ctx = canvas.getContext('2d');
    return places.map(([x, y]) => {
        const [px, py] = [Math.floor(x * scale), Math.floor(y * scale)];
        return [...ctx.getImageData(px, py, 1, 1).data.slice(0, 3)];
    });
}"""
PIXEL = """(canvas, [x, y, size]) => {
    // In pixels of the photo, as if there were one pane.
    const scale = canvas.width / size;
    const [px, py] = [Math.floor(x * scale), Math.floor(y * scale)];
    return [...canvas.getContext('2d').getImageData(px, py, 1, 1).data.slice(0, 3)];
}"""
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
VIEWPORT = {"width": 1100, "height": 1000}
THEMES = {
    "light": "body{background:#fff;color:#000}",
    "dark": "body{background:#111;color:#ddd;color-scheme:dark}",
}


class ViewerPage:
    """A window of the browser with one output in it, used by one test after the other."""

    def __init__(self, chromium: Browser, folder: Path) -> None:
        self.context = chromium.new_context(viewport=VIEWPORT, offline=True)
        self.context.grant_permissions(["clipboard-read"])
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self._folder = folder
        self._shown = 0
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note)

    def begin(self) -> None:
        """Forget what the test before did to it."""
        self.complaints.clear()
        self.page.set_viewport_size(VIEWPORT)
        # A pointer that stays where it was would look at a shape of the next page.
        self.page.mouse.move(0, 0)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    def _note(self, request: object) -> None:
        address = str(getattr(request, "url", ""))
        if not address.startswith(("file:", "data:", "blob:")):
            self.complaints.append(f"request to {address}")

    def show(self, *outputs: str, body: str = "") -> None:
        """Open a page of outputs and wait until the viewers in it are drawn."""
        self._shown += 1
        path = self._folder / f"{self._shown}.html"
        whole = "".join(outputs)
        path.write_text(
            f"<!doctype html><html lang=en><meta charset=utf-8><title>Viewer</title>"
            f"<style>{THEMES['light']}</style><main><h1>Predictions</h1>{whole}{body}</main>",
            encoding="utf-8",
        )
        self.page.goto(path.as_uri())
        self.canvas.wait_for()
        self.page.wait_for_function(
            "document.querySelector('.pxj-viewer').shadowRoot.querySelector('canvas').width != 300"
        )
        self.settle()

    @property
    def canvas(self) -> Locator:
        """Where the photo is drawn."""
        return self.page.locator("canvas").first

    @property
    def tip(self) -> Locator:
        """What is said of the shape that is looked at."""
        return self.page.locator(".tip")

    def button(self, name: str) -> Locator:
        """A button by the whole of its text."""
        return self.page.get_by_role("button", name=name, exact=True)

    def settle(self) -> None:
        """Wait until what was asked for is drawn."""
        self.page.evaluate(TWO_FRAMES)

    def pixel(self, x: float, y: float, *, width: int = 640) -> tuple[int, int, int]:
        """The colour drawn at a place of the photo, `width` pixels wide (all panes together)."""
        return self.pixels([(x, y)], width=width)[0]

    def pixels(
        self,
        places: Sequence[tuple[float, float]],
        *,
        width: int = 640,
        canvas: Locator | None = None,
    ) -> list[tuple[int, int, int]]:
        """The colours drawn at places of the photo, on the first canvas or this one."""
        self.settle()
        seen = (canvas or self.canvas).evaluate(PIXELS, [places, width])
        return [(red, green, blue) for red, green, blue in seen]

    def point_at(self, x: float, y: float, *, width: int = 640) -> None:
        """Move the mouse to a place of the photo."""
        box = self.canvas.bounding_box()
        assert box is not None
        scale = box["width"] / width
        self.page.mouse.move(box["x"] + x * scale, box["y"] + y * scale)
        self.settle()

    def press(self, *keys: str) -> None:
        """Press keys while the canvas has the focus."""
        for key in keys:
            self.canvas.press(key)
        self.settle()

    def slide_to(self, value: float) -> None:
        """Move the confidence slider."""
        slider = self.page.get_by_label("Confidence")
        slider.fill(str(value))
        self.settle()

    def use_theme(self, theme: str) -> None:
        """Make the page light or dark."""
        css = THEMES[theme]
        self.page.evaluate("css => { document.querySelector('style').textContent = css }", css)
        self.settle()

    def screenshots(self, name: str) -> None:
        """Write build/screenshots/NAME-{light,dark}.png."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        for theme in THEMES:
            self.use_theme(theme)
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{theme}.png", full_page=True)
