"""The panel of a deployment in a real JupyterLab, by mouse and by keyboard; Notebook 7 if long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer
from tests.widgets.recording import record_pages

pytestmark = [pytest.mark.browser, pytest.mark.journey]
SOURCES = (
    "%load_ext picsellia_jupyter\nfrom picsellia_jupyter import Session",
    "d = Session().deployment('press-line')\nd",
)
AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
NARROW, WIDE = {"width": 760, "height": 900}, {"width": 1280, "height": 900}
PATIENT_MS = 60_000


@pytest.fixture(scope="module", params=["lab", "notebook"])
def server(request, long: bool) -> JupyterServer:
    if request.param == "notebook" and not long:
        pytest.skip("one widget is shown in both: JupyterLab is tried, with --long Notebook 7 too")
    return request.getfixturevalue(f"jupyter_{request.param}")


@pytest.fixture(scope="module")
def session(server: JupyterServer, tmp_path_factory) -> Iterator[Session]:
    made = Session(home=server.home)
    try:
        seed(made)
        made.create_datalake("cold store")
        made.deploy("digits-detector", strategy="monitoring", name="press-line")
        folder: Path = tmp_path_factory.mktemp("pages")
        record_pages(made, "press-line", folder, 26)
        yield made
    finally:
        local_platform.stop(server.home)


class PanelPage:
    """A notebook that shows a bare `d`."""

    def __init__(self, page: JupyterPage, notebook: str) -> None:
        page.open(notebook)
        page.run_all(timeout_s=90)
        self.page, self.notebook = page, notebook
        self.panel = page.page.locator(".pxj-panel")
        expect(self.panel).to_be_visible(timeout=PATIENT_MS)
        expect(self.panel.get_by_text("As of")).to_be_visible(timeout=PATIENT_MS)

    def tab(self, name: str) -> Locator:
        return self.panel.get_by_role("tab", name=name)

    def button(self, name: str) -> Locator:
        return self.panel.get_by_role("button", name=name, exact=True)

    def field(self, label: str) -> Locator:
        return self.panel.get_by_label(label, exact=True)

    def violations(self) -> list[str]:
        found = Axe().run(self.page.page, context=".pxj-panel", options=AXE_RULES)
        return [
            f"{one['id']}: {node['html']}"
            for one in found.response["violations"]
            for node in one["nodes"]
        ]

    def screenshots(self, name: str) -> None:
        """In both themes, and narrow."""
        for width, size in (("", WIDE), ("-narrow", NARROW)):
            self.page.page.set_viewport_size(size)
            self.panel.scroll_into_view_if_needed()
            kind = "" if self.page.server.kind == "lab" else "notebook-"
            self.page.screenshots(f"panel-{kind}{name}{width}", cell=1)
        self.page.page.set_viewport_size(WIDE)


@pytest.fixture
def opened(session: Session, server: JupyterServer, write_notebook, request) -> PanelPage:
    del session
    page: JupyterPage = request.getfixturevalue(f"{server.kind}_page")
    notebook = f"{request.node.originalname}.ipynb"
    write_notebook(server, notebook, *SOURCES)
    return PanelPage(page, notebook)


def test_a_panel_is_used_by_mouse_and_leaves_its_card_in_the_file(
    opened: PanelPage, session: Session
):
    expect(opened.panel.locator(".pxj-badge")).to_have_text("not served")
    assert opened.violations() == []
    opened.screenshots("dashboard")

    opened.tab("Predictions").click()
    expect(opened.panel.get_by_text("1 to 24, newest first.")).to_be_visible(timeout=PATIENT_MS)
    expect(opened.panel.locator("canvas").first).to_be_visible(timeout=PATIENT_MS)
    opened.screenshots("predictions")
    assert opened.violations() == []
    opened.button("Older").click()
    expect(opened.panel.get_by_text("25 to 26, newest first")).to_be_visible(timeout=PATIENT_MS)

    opened.tab("Settings").click()
    expect(opened.field("Datalake").locator("option")).to_have_count(
        len(session.datalakes().datalakes), timeout=PATIENT_MS
    )
    opened.field("Threshold").fill("40")
    opened.field("Threshold").press("Enter")
    expect(opened.panel.get_by_role("alert")).to_contain_text("A percentage?")
    opened.screenshots("settings")
    assert opened.violations() == []
    check_the_circle(opened)
    opened.field("Threshold").fill("0.4")
    opened.field("Threshold").press("Enter")
    expect(opened.panel.get_by_text("d.threshold = 0.4")).to_be_visible()
    expect(opened.panel.get_by_text("Saved.").first).to_be_visible()
    assert session.deployment("press-line").threshold == 0.4

    check_the_file(opened)


def check_the_circle(opened: PanelPage) -> None:
    """It opens above the pipeline's switches, with the numbers of this deployment."""
    opened.panel.get_by_text("The whole circle").click()
    circle = opened.panel.get_by_role("group", name="Pipeline of press-line")
    expect(circle.get_by_text("%review press-line")).to_be_visible()
    expect(circle.get_by_text("26 are kept with their image.")).to_be_visible()
    circle.scroll_into_view_if_needed()
    opened.page.screenshots("panel-circle")
    assert opened.violations() == []
    opened.panel.get_by_text("The whole circle").click()
    expect(circle).to_be_hidden()


def check_the_file(opened: PanelPage) -> None:
    """It holds the card, with the kernel gone too."""
    opened.page.execute("docmanager:save")
    saved = (opened.page.server.root / opened.notebook).read_text()
    assert "widget-view" not in saved
    assert "pxj-card" in saved
    opened.page.server.shut_kernels_down()
    opened.page.open(opened.notebook)
    cell = opened.page.cell(1)
    expect(cell.locator(".pxj-card")).to_contain_text("press-line")
    expect(cell).not_to_contain_text("model not found")
    opened.page.screenshots("panel-reopened", cell=1)


def test_a_panel_is_used_by_keyboard_alone(opened: PanelPage, session: Session):
    keyboard = opened.page.page.keyboard
    opened.tab("Dashboard").focus()
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    keyboard.press("Enter")
    expect(opened.field("Datalake").locator("option")).to_have_count(
        len(session.datalakes().datalakes), timeout=PATIENT_MS
    )

    tab_to(opened, opened.field("Sample rate"))
    keyboard.press("Control+A")
    keyboard.type("0.5")
    keyboard.press("Tab")
    expect(opened.panel.get_by_text("d.sample_rate = 0.5")).to_be_visible()
    tab_to(opened, opened.button("Add alert"))
    keyboard.press("Enter")
    expect(opened.panel.locator(".pxj-alert")).to_contain_text("latency > 0.5")
    expect(opened.panel.get_by_text("Added.")).to_be_visible()

    assert session.deployment("press-line").sample_rate == 0.5


def tab_to(opened: PanelPage, control: Locator) -> None:
    """Press Tab until a control has the focus."""
    for _ in range(40):
        if control.evaluate("element => element === document.activeElement"):
            return
        opened.page.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {control}")
