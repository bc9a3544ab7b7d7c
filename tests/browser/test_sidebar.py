"""The sidebar, the status bar and "Predict with…" in a real JupyterLab on a real platform."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.dialog import STAND_IN, dialog
from tests.browser.page import SCREENSHOTS, JupyterPage
from tests.browser.server import REPOSITORY, JupyterServer
from tests.browser.sidebar import Sidebar

pytestmark = [pytest.mark.browser, pytest.mark.journey]

DIGIT = REPOSITORY / "picsellia_jupyter" / "demo" / "assets" / "digits" / "digit_21.png"
COPIED = "async text => (await navigator.clipboard.readText()) === text"
SETTINGS = "lab/api/settings/picsellia-jupyter:platform"


@pytest.fixture(scope="module")
def platform(jupyter_lab: JupyterServer) -> Iterator[Session]:
    """The server's local platform, with the demo models and one that is served."""
    session = Session(home=jupyter_lab.home)
    try:
        seed(session)
        session.deploy("digits-detector", name="night-line")
        yield session
        session.undeploy("night-line")
    finally:
        local_platform.stop(jupyter_lab.home)


@pytest.fixture
def sidebar(platform: Session, lab_page: JupyterPage) -> Sidebar:
    """With no notebook open."""
    del platform
    sidebar = Sidebar(lab_page)
    sidebar.wait()
    return sidebar


def test_models_versions_and_files_are_there_by_mouse_with_no_notebook_open(sidebar):
    # The first question of a server has its session connect.
    expect(sidebar.model("digits-detector")).to_be_visible(timeout=30_000)
    expect(sidebar.version("object detection")).to_have_count(0)

    sidebar.model("digits-detector").click()
    version = sidebar.version("object detection").first
    expect(version).to_be_visible()
    version.locator(".jp-Picsellia-caret").click()

    expect(sidebar.tree).to_contain_text("model-latest")
    expect(sidebar.page.page.locator(".jp-NotebookPanel")).to_have_count(0)
    found = Axe().run(sidebar.page.page, context={"include": ["#picsellia-sidebar"]})
    assert found.violations_count == 0, found.generate_report()
    version.hover()
    sidebar.page.screenshots("sidebar")
    found = Axe().run(sidebar.page.page, context={"include": ["#picsellia-sidebar"]})
    assert found.violations_count == 0, found.generate_report()


def test_a_version_is_found_and_turned_by_keyboard_alone(sidebar):
    keys = sidebar.page.page.keyboard
    sidebar.search.focus()
    keys.type("digits detection")
    expect(sidebar.node).to_contain_text(re.compile(r"1 of \d+ versions"))
    keys.press("ArrowDown")
    keys.press("ArrowDown")
    expect(_selected(sidebar.tree)).to_have_attribute("data-kind", "version")
    keys.press("ArrowRight")
    expect(sidebar.tree).to_contain_text("model-latest")
    keys.press("ArrowLeft")
    expect(sidebar.tree).not_to_contain_text("model-latest")


def test_deploy_beside_a_version_opens_its_form(platform, lab_page, write_notebook):
    del platform
    write_notebook(lab_page.server, "beside.ipynb", STAND_IN)
    sidebar = Sidebar(lab_page, "beside.ipynb")
    lab_page.run_all()
    sidebar.wait()
    sidebar.model("digits-detector").click()
    sidebar.version("object detection").first.hover()

    sidebar.node.get_by_role("button", name="Deploy digits-detector:0…").click()

    expect(dialog(lab_page)).to_be_visible()
    assert "'model': 'digits-detector:0'" in lab_page.ask("opened[-1].given")


def test_deploy_with_no_notebook_open_makes_one_and_leaves_the_line_in_it(sidebar, platform):
    """As it has a kernel that was started just now, whose page ends a subshell meanwhile."""
    page = sidebar.page
    sidebar.model("digits-detector").click()
    sidebar.version("object detection").first.hover()

    sidebar.node.get_by_role("button", name="Deploy digits-detector:0…").click()

    form = page.page.locator("dialog .pxj-form")
    expect(form.locator(".pxj-line code")).to_contain_text("digits-detector:0", timeout=60_000)
    page.screenshots("sidebar-deploy")
    form.locator(".pxj-strategy label", has_text="Monitoring only").last.click()
    form.get_by_label("Name", exact=True).fill("from-sidebar")
    form.get_by_label("Name", exact=True).blur()
    expect(form.locator(".pxj-line code")).to_contain_text("--name from-sidebar")
    form.get_by_role("button", name="Deploy", exact=True).click()

    expect(form).to_have_count(0, timeout=30_000)
    expect(page.page.locator(".jp-Notebook .pxj-card")).to_contain_text("from-sidebar")
    sources = [cell.source for cell in page.cells()]
    assert sources[-1].endswith("--name from-sidebar")
    expect(sidebar.deployment("from-sidebar")).to_be_visible(timeout=20_000)
    platform.undeploy("from-sidebar", delete=True)


def test_the_context_menu_copies_a_reference(sidebar):
    sidebar.page.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sidebar.model("digits-detector").click()
    sidebar.version("object detection").first.click(button="right")
    sidebar.menu("Copy reference")

    sidebar.page.page.wait_for_function(COPIED, arg="digits-detector:0")


def test_a_deployment_tells_its_state_and_place_and_shows_its_log(sidebar):
    row = sidebar.deployment("night-line")
    expect(row).to_contain_text("ready")
    expect(row).to_contain_text("digits-detector:0 · local")
    expect(sidebar.status).to_have_text("Local platform · 1 running")

    row.hover()
    row.get_by_role("button", name="Log of night-line").click()

    log = sidebar.page.page.get_by_role("log", name="Log of night-line")
    expect(log).to_contain_text("kernel:")
    sidebar.page.screenshots("sidebar-log")


def test_the_panel_of_a_deployment_is_a_line_in_the_notebook(platform, lab_page, write_notebook):
    del platform
    write_notebook(lab_page.server, "dashboard.ipynb", "'mine'")
    sidebar = Sidebar(lab_page, "dashboard.ipynb")
    sidebar.wait()
    sidebar.deployment("night-line").dblclick()

    shown = lab_page.wait_for_cell("%load_ext picsellia_jupyter\n%deployment night-line")
    assert "night-line" in shown.text()

    row = sidebar.deployment("night-line")
    row.hover()
    row.get_by_role("button", name="Open panel of night-line").click()
    again = lab_page.wait_for_cell("%deployment night-line")
    assert "night-line" in again.text()


def test_images_are_predicted_on_from_the_file_browser(platform, lab_page, write_notebook):
    del platform
    (lab_page.server.root / "photos").mkdir(exist_ok=True)
    shutil.copy(DIGIT, lab_page.server.root / "photos" / "a page.png")
    write_notebook(lab_page.server, "predicting.ipynb", "'mine'")
    lab_page.open("predicting.ipynb")
    lab_page.execute("filebrowser:open-path", path="photos")
    item = lab_page.page.locator(".jp-DirListing-item", has_text="a page.png")
    item.click(button="right")
    menu = lab_page.page.locator(".lm-Menu-item", has_text="Predict with…")
    expect(menu).to_be_visible()
    lab_page.page.screenshot(path=SCREENSHOTS / "predict-menu-light.png")

    menu.click()

    line = "%load_ext picsellia_jupyter\n%predict 'photos/a page.png' --on night-line"
    shown = lab_page.wait_for_cell(line, timeout_s=60)
    assert any("text/html" in output.get("data", {}) for output in shown.outputs)


def test_a_deployment_that_is_paused_is_told_with_why(sidebar, platform):
    row = sidebar.deployment("night-line")
    expect(row).to_contain_text("ready")
    platform.set_quota(platform.usage().used)
    try:
        told = sidebar.page.page.locator(".jp-toastContainer")
        expect(told).to_contain_text("night-line is paused: No MPU", timeout=30_000)
        expect(row).to_contain_text("paused")
        expect(told.get_by_role("button", name="Open panel")).to_be_visible()
        sidebar.page.screenshots("sidebar-paused")
    finally:
        platform.set_quota(None)
    expect(row).to_contain_text("ready", timeout=30_000)


def test_a_platform_that_does_not_answer_is_told_with_what_to_do(platform, lab_page):
    del platform
    lab_page.expected.append("status of 50")
    lab_page.server.request("PUT", SETTINGS, {"raw": '{"platform": "http://127.0.0.1:9"}'})
    try:
        sidebar = Sidebar(lab_page)
        expect(sidebar.node.get_by_role("button", name="Try again")).to_have_count(2)
        expect(sidebar.status).to_have_text("Picsellia: no answer")
        sidebar.page.screenshots("sidebar-error")
    finally:
        lab_page.server.request("PUT", SETTINGS, {"raw": "{}"})


def _selected(tree: Locator) -> Locator:
    return tree.locator("[aria-selected=true]")
