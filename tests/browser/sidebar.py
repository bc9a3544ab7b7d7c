"""The sidebar "Picsellia" as a person meets it."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from tests.browser.page import THEMES, JupyterPage


class Sidebar:
    """JupyterLab with the sidebar open."""

    def __init__(self, page: JupyterPage, notebook: str | None = None) -> None:
        if notebook:
            page.open(notebook)
        else:
            page.server.use_theme(THEMES["light"])
            page.page.goto(f"{page.server.url}lab?reset&token={page.server.token}")
            page.wait_for("window.jupyterapp?.shell.isVisible && window.jupyterapp.commands")
            # JupyterLab's launcher takes the focus once, whatever has it.
            page.wait_for(
                "document.querySelector('.jp-Launcher')?.contains(document.activeElement)"
            )
        page.page.get_by_role("tab", name="Picsellia").click()
        self.page = page
        self.node = page.page.locator("#picsellia-sidebar")
        self.search = self.node.get_by_role("searchbox", name="Search models and versions")
        self.tree = self.node.get_by_role("tree", name="Models and their versions")
        self.deployments = self.node.get_by_role("listbox", name="Deployments")
        self.nothing = self.node.get_by_text("Nothing is deployed yet.")
        self.status = page.page.locator("#jp-main-statusbar .jp-PicselliaStatus")

    def wait(self) -> None:
        """Until the registry is there; a server's first connection takes seconds."""
        expect(self.tree).to_be_visible(timeout=60_000)

    def model(self, name: str) -> Locator:
        return self.tree.locator("[data-kind=model]", has_text=name)

    def version(self, text: str) -> Locator:
        return self.tree.locator("[data-kind=version]", has_text=text)

    def deployment(self, name: str) -> Locator:
        return self.deployments.get_by_role("option").filter(has_text=name)

    def menu(self, item: str) -> None:
        """Click an item of the open context menu."""
        self.page.page.locator(".lm-Menu-item", has_text=item).click()
