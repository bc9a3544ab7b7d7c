"""A kernel's form in a native dialog, by mouse and by keyboard, in JupyterLab and Notebook 7."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.dialog import STAND_IN, dialog, focused
from tests.browser.page import JupyterPage

pytestmark = pytest.mark.browser

LINE = "%deploy digits --threshold 0.1 --name quickstart"
CARD = "deployed quickstart Serving 0.1 default"


@pytest.fixture(params=["lab", "notebook"])
def jupyter_page(request):
    """A page on each of the two applications in turn."""
    return request.getfixturevalue(f"{request.param}_page")


@pytest.fixture
def form(lab_page, write_notebook, request) -> JupyterPage:
    """A notebook in JupyterLab with the form open, and a second cell."""
    return _open(lab_page, write_notebook, f"{request.node.name}.ipynb")


def _open(page, write_notebook, name, *more) -> JupyterPage:
    write_notebook(page.server, name, STAND_IN, "'mine'", *more)
    page.open(name)
    page.run_all()
    page.cell(1).locator(".jp-InputArea-prompt").click()
    page.execute("picsellia:deploy")
    expect(dialog(page)).to_be_visible()
    expect(dialog(page).get_by_label("Name")).to_be_focused()
    return page


def test_everything_goes_by_keyboard_alone(jupyter_page, write_notebook):
    page = _open(jupyter_page, write_notebook, "keyboard.ipynb")
    keys = page.page.keyboard

    keys.press("Control+A")
    keys.type("calm-river", delay=20)
    keys.press("Enter")  # belongs to the field
    keys.press("Tab")
    keys.press("ArrowDown")  # the other strategy
    keys.press("Tab")
    expect(dialog(page).get_by_role("slider", name="Threshold")).to_be_focused()
    keys.press("PageUp")
    keys.press("Tab")
    keys.press("Tab")
    expect(dialog(page).get_by_label("Datalake")).to_be_focused()
    keys.press("ArrowDown")
    for _ in range(3):
        keys.press("Tab")
    expect(dialog(page).get_by_role("button", name="Deploy", exact=True)).to_be_focused()
    keys.press("Enter")

    expect(dialog(page)).to_have_count(0)
    page.wait_for("window.jupyterapp.shell.currentWidget.content.widgets.length === 3")
    inserted = page.cells()[2]
    assert inserted.text().startswith("deployed calm-river Monitoring")
    assert inserted.text().endswith("edge")
    assert inserted.source.endswith("--name calm-river")


def test_focus_goes_round_within_the_dialog_and_shortcuts_stay_outside(form):
    keys = form.page.keyboard
    seen = []
    for _ in range(12):
        seen.append(focused(form))
        keys.press("Tab")
    first_again = seen.index("Name", 1)
    assert {"Name", "Serving", "Threshold", "Datalake", "Cancel", "Deploy"} <= set(seen)
    for _ in range(12 - first_again):
        keys.press("Shift+Tab")
    assert focused(form) == "Name"
    keys.press("Shift+Tab")
    keys.press("b")
    assert [cell.source for cell in form.cells()] == [STAND_IN, "'mine'"]


def test_axe_finds_nothing_and_it_looks_right_in_both_themes(jupyter_page, write_notebook):
    page = _open(jupyter_page, write_notebook, "axe.ipynb")
    found = Axe().run(page.page, context={"include": [".jp-PicselliaDialog"]})
    assert found.violations_count == 0, found.generate_report()
    page.screenshots(f"dialog-{page.server.kind}")
    assert Axe().run(page.page, context={"include": [".jp-PicselliaDialog"]}).violations_count == 0


def test_the_card_becomes_a_cell_with_the_line_it_stands_for(form):
    dialog(form).get_by_role("button", name="Deploy", exact=True).click()

    expect(dialog(form)).to_have_count(0)
    form.wait_for("window.jupyterapp.shell.currentWidget.content.widgets.length === 3")
    inserted = form.cells()[2]
    assert (inserted.source, inserted.text()) == (LINE, CARD)
    assert "widget" not in str(inserted.outputs)
    expect(form.cell(2)).to_contain_text(CARD)


def test_a_form_that_a_cell_opened_leaves_its_card_in_that_cell(lab_page, write_notebook):
    write_notebook(lab_page.server, "cell.ipynb", STAND_IN, "%deploy")
    lab_page.open("cell.ipynb")
    lab_page.run_all()
    expect(lab_page.cell(1)).to_contain_text("The form was opened in a dialog.")

    dialog(lab_page).get_by_role("button", name="Deploy", exact=True).click()

    expect(lab_page.cell(1).locator(".jp-OutputArea")).to_have_text(CARD)
    assert [cell.source for cell in lab_page.cells()] == [STAND_IN, "%deploy"]


def test_escape_cancels_wherever_the_focus_is_and_gives_it_back(form):
    dialog(form).get_by_text("Deploy a model version").click()
    form.page.evaluate("document.activeElement.blur()")
    form.page.keyboard.press("Escape")

    expect(dialog(form)).to_have_count(0)
    form.wait_for("document.activeElement.closest('.jp-Notebook') !== null")
    form.wait_for_answer("opened[-1].heard", "['ready', 'cancelled']")


def test_a_click_beside_the_dialog_loses_nothing(form):
    form.page.mouse.click(20, 20)
    form.page.keyboard.type("!")

    expect(dialog(form).get_by_label("Name")).to_have_value("quickstart!")
    dialog(form).locator(".jp-Dialog-close-button").click()
    expect(dialog(form)).to_have_count(0)


def test_while_it_is_deploying_escape_asks_the_kernel_to_undo(form):
    dialog(form).get_by_label("Name").fill("slow")
    dialog(form).get_by_role("button", name="Deploy", exact=True).click()
    expect(dialog(form)).to_contain_text("Deploying …")

    form.page.keyboard.press("Escape")

    expect(dialog(form)).to_have_count(0)
    form.wait_for_answer("opened[-1].heard", "['ready', 'cancel']")


AT_ONCE = """() => {
    const dialog = document.querySelector('dialog.jp-PicselliaDialog');
    dialog.querySelector('button.jp-mod-accept').click();
    const key = new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true });
    document.activeElement.dispatchEvent(key);
}"""


def test_escape_right_after_the_click_still_asks_the_kernel_to_undo(form):
    dialog(form).get_by_label("Name").fill("slow")

    form.page.evaluate(AT_ONCE)

    expect(dialog(form)).to_have_count(0)
    form.wait_for_answer("opened[-1].heard", "['ready', 'cancel']")


def test_its_line_can_be_inserted_while_it_stays_open(form):
    dialog(form).get_by_role("button", name="Insert").click()

    form.wait_for("window.jupyterapp.shell.currentWidget.content.widgets.length === 3")
    assert [cell.source for cell in form.cells()] == [STAND_IN, "'mine'", LINE]
    assert form.cells()[2].execution_count is None
    expect(dialog(form)).to_be_visible()


def test_it_comes_back_with_what_was_chosen_after_the_page_is_loaded_again(form):
    dialog(form).get_by_label("Name").fill("calm-river")
    dialog(form).get_by_label("Name").press("Tab")
    form.execute("docmanager:save")

    form.page.reload()

    expect(dialog(form).get_by_label("Name")).to_have_value("calm-river", timeout=30_000)
    dialog(form).get_by_role("button", name="Cancel").last.click()
    expect(dialog(form)).to_have_count(0)


def test_it_goes_with_a_kernel_that_is_restarted(form):
    form.expected.append("Canceled future for create_subshell_request")  # JupyterLab's own
    form.page.evaluate(
        "void window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )

    expect(dialog(form)).to_have_count(0)
    form.run_all()
    form.execute("picsellia:deploy")
    expect(dialog(form)).to_be_visible()
