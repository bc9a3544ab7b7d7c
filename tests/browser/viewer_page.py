"""A page with the viewer on it and nothing else, without any network: what it shows and does."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page

from tests.browser.page import SCREENSHOTS

PIXEL = """(canvas, [x, y, size]) => {
    // In pixels of the photo, as if there were one pane.
    const scale = canvas.width / size;
    const [px, py] = [Math.floor(x * scale), Math.floor(y * scale)];
    return [...canvas.getContext('2d').getImageData(px, py, 1, 1).data.slice(0, 3)];
}"""
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
THEMES = {
    "light": "body{background:#fff;color:#000}",
    "dark": "body{background:#111;color:#ddd;color-scheme:dark}",
}


class ViewerPage:
    """A window of the browser with one output in it."""

    def __init__(self, chromium: Browser, folder: Path) -> None:
        self.context = chromium.new_context(viewport={"width": 1100, "height": 1000}, offline=True)
        self.context.grant_permissions(["clipboard-read"])
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self._folder = folder
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._note)

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(said.text)

    def _note(self, request: object) -> None:
        address = str(getattr(request, "url", ""))
        if not address.startswith(("file:", "data:", "blob:")):
            self.complaints.append(f"request to {address}")

    def show(self, *outputs: str, body: str = "") -> None:
        """Open a page of outputs and wait until the viewers in it are drawn."""
        path = self._folder / "page.html"
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
        self.settle()
        red, green, blue = self.canvas.evaluate(PIXEL, [x, y, width])
        return red, green, blue

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
