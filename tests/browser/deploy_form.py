"""The deploy form as a person meets it in JupyterLab: in a dialog."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from tests.browser.page import JupyterPage

SOURCES = ("%load_ext picsellia_jupyter", "%deploy")
START_S = 90
# JupyterLab itself, around an output.
AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


class DeployPage:
    """A notebook whose bare `%deploy` has run."""

    def __init__(self, page: JupyterPage, notebook: str, *, can_deploy: bool = True) -> None:
        page.open(notebook)
        page.run_all(timeout_s=START_S)
        self.page = page
        self.notebook = notebook
        self.form = page.page.locator(".pxj-form")
        expect(page.page.locator("dialog .pxj-form")).to_be_visible(timeout=START_S * 1000)
        found = self.form.locator(".pxj-checks")
        expect(found).to_contain_text("model-latest,", timeout=START_S * 1000)
        if can_deploy:
            expect(self.button("Deploy")).to_be_enabled()

    @property
    def strategy(self) -> Locator:
        """The row of the two strategies."""
        return self.form.locator(".pxj-row", has=self.page.page.locator(".pxj-strategy"))

    @property
    def naming(self) -> Locator:
        """The row of the name."""
        field = self.page.page.get_by_label("Name", exact=True)
        return self.form.locator(".pxj-row", has=field)

    @property
    def output(self) -> Locator:
        """Of the cell that opened it."""
        return self.page.cell(1).locator(".jp-OutputArea")

    def button(self, name: str) -> Locator:
        return self.form.get_by_role("button", name=name, exact=True)

    def field(self, label: str) -> Locator:
        return self.form.get_by_label(label, exact=True)

    def card(self, strategy: str) -> Locator:
        """The card of a strategy."""
        return self.form.locator(".pxj-strategy label", has_text=strategy).last

    def line(self) -> str:
        return self.form.locator(".pxj-line code").inner_text()

    def press(self, key: str) -> None:
        self.page.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.page.keyboard.type(text)

    def name(self, text: str) -> None:
        """Write a name and leave its field."""
        self.field("Name").fill(text)
        self.field("Name").blur()

    def tab_to(self, control: Locator) -> None:
        """Press Tab until a control has the focus."""
        for _ in range(30):
            if control.evaluate("element => element === document.activeElement"):
                return
            self.press("Tab")
        raise AssertionError(f"Tab never comes to {control}")

    def choose_card_by_keys(self, strategy: str) -> None:
        """Choose the second strategy, by arrows where the page has them be one group."""
        radio = self.card(strategy).locator("input")
        self.tab_to(self.form.locator(".pxj-strategy input").first)
        self.press("ArrowDown")
        if not radio.is_checked():
            self.tab_to(radio)
            self.press("Space")
        expect(radio).to_be_checked()

    def violations(self) -> list[str]:
        """What axe finds wrong with it."""
        found = Axe().run(self.page.page, context=".pxj-form", options=AXE_RULES)
        return [
            f"{one['id']}: {node['html']}"
            for one in found.response["violations"]
            for node in one["nodes"]
        ]

    def screenshots(self, name: str) -> None:
        """In both themes, with the whole form in sight."""
        self.form.scroll_into_view_if_needed()
        self.page.screenshots(f"deploy-{name}")

    def saved(self) -> dict[str, object]:
        """The output of its cell as it would be saved."""
        (output,) = self.page.cells()[1].outputs
        data: dict[str, object] = output["data"]
        return data
