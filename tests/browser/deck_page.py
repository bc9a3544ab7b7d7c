"""The deck of `%review` as a person meets it in JupyterLab: in a dialog."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from tests.browser.page import JupyterPage
from tests.reviewing import HEIGHT, WIDTH, Furnished

AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
START_MS = 90_000


class DeckPage:
    """A notebook whose `%review` has run."""

    def __init__(self, page: JupyterPage, notebook: str) -> None:
        page.open(notebook)
        page.run_all(timeout_s=90)
        self.page = page
        # A slow page is given the deck under its cell, and opens the dialog all the same.
        self.deck = page.page.locator(".pxd").last
        self.canvas = self.deck.locator("canvas")
        expect(self.deck).to_be_visible(timeout=START_MS)
        expect(self.button("Accept")).to_be_enabled(timeout=START_MS)
        expect(self.deck.locator(".pxd-stage")).not_to_have_class("pxd-stage pxd-empty")
        self.canvas.focus()

    @property
    def output(self) -> Locator:
        return self.page.cell(1).locator(".jp-OutputArea")

    def button(self, name: str) -> Locator:
        return self.deck.get_by_role("button", name=name)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.page.keyboard.press(key)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Drag from one pixel of the photo to another."""
        mouse = self.page.page.mouse
        mouse.move(*self.at(start))
        mouse.down()
        mouse.move(*self.at(((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)))
        mouse.move(*self.at(end))
        mouse.up()

    def says(self, text: str) -> None:
        expect(self.deck.locator(".pxd-told")).to_contain_text(text)

    def is_at(self, title: str) -> None:
        """Wait until an image is shown, which has been read."""
        expect(self.deck.locator(".pxd-title")).to_contain_text(f"{title} · page")

    def has_status(self, text: str) -> None:
        expect(self.deck.locator(".pxd-status")).to_contain_text(text, timeout=15_000)

    def submit(self, picture: str = "") -> None:
        """Submit what is reviewed: it asks once, and the deck goes."""
        self.button("Submit").click()
        asks = self.deck.get_by_role("alert")
        expect(asks).to_contain_text(re.compile(r"Submit \d+ reviews?\?"))
        if picture:
            self.page.screenshots(picture)
        asks.get_by_role("button", name="Submit").click()
        expect(self.deck).to_have_count(0, timeout=20_000)

    def violations(self) -> list[str]:
        found = Axe().run(self.page.page, context=".pxd", options=AXE_RULES)
        return [
            f"{one['id']}: {node['html']}"
            for one in found.response["violations"]
            for node in one["nodes"]
        ]

    def at(self, spot: tuple[float, float]) -> tuple[float, float]:
        box = self.canvas.bounding_box()
        assert box is not None
        return (
            box["x"] + spot[0] * box["width"] / WIDTH,
            box["y"] + spot[1] * box["height"] / HEIGHT,
        )


def boxes_of(of: Furnished, asset: str) -> list[tuple[str, int, int, int, int]]:
    """What the last review of an asset says."""
    last = of.reviews_of(asset)[-1]["rectangles"]
    return [(one["label"]["name"], one["x"], one["y"], one["w"], one["h"]) for one in last]


def near(one: tuple, other: tuple, by: int = 2) -> bool:
    return one[0] == other[0] and all(
        abs(a - b) <= by for a, b in zip(one[1:], other[1:], strict=True)
    )


def queue_of(of: Furnished) -> list[str]:
    """Predicted assets in the random order."""
    path = f"/api/local/deployments/{of.id}/reviews/queue"
    items = of.post(path, policy="random")["items"]
    return [str(item["predicted_asset_id"]) for item in items]
