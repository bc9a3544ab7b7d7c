"""The deploy form's dialog as a person meets it, with a stand-in for the form in the kernel."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator

from tests.browser.page import JupyterPage

STAND_IN = Path(__file__).with_name("stand_in.py").read_text(encoding="utf-8").rstrip()
BUTTON = ".jp-NotebookPanel-toolbar [data-jp-item-name='picsellia-deploy']"
LABEL = "Deploy model…"


def dialog(page: JupyterPage) -> Locator:
    """The dialog, where there is one."""
    return page.page.get_by_role("dialog", name="Deploy a model version")


def focused(page: JupyterPage) -> str:
    """What has the focus: its label, its text, or its place."""
    return str(
        page.page.evaluate("""() => {
            const node = document.activeElement;
            const label = node.labels?.[0]?.textContent ?? node.getAttribute('aria-label');
            return (label || node.textContent || node.className || node.tagName).trim();
        }""")
    )
