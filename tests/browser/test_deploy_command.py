"""The command "Deploy model…": its button, its shortcut, and where it opens the form."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.dialog import BUTTON, LABEL, STAND_IN, dialog
from tests.browser.page import JupyterPage

pytestmark = pytest.mark.browser

KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
ENABLED = "window.jupyterapp.commands.isEnabled('picsellia:deploy')"
IMPORTED = "'picsellia_jupyter.widgets.deploy_modal' in __import__('sys').modules"


@pytest.fixture(params=["lab", "notebook"])
def jupyter_page(request):
    """A page on each of the two applications in turn."""
    return request.getfixturevalue(f"{request.param}_page")


def test_the_button_opens_the_form_in_a_dialog_and_adds_no_cell(jupyter_page, write_notebook):
    write_notebook(jupyter_page.server, "button.ipynb", STAND_IN, "'mine'")
    jupyter_page.open("button.ipynb")
    jupyter_page.run_all()
    jupyter_page.cell(1).locator(".jp-InputArea-prompt").click()
    counts = [cell.execution_count for cell in jupyter_page.cells()]

    jupyter_page.page.locator(BUTTON).get_by_role("button", name=LABEL).click()

    expect(dialog(jupyter_page)).to_contain_text("Deploy a model version")
    assert [cell.source for cell in jupyter_page.cells()] == [STAND_IN, "'mine'"]
    assert [cell.execution_count for cell in jupyter_page.cells()] == counts
    jupyter_page.page.keyboard.press("Escape")
    expect(dialog(jupyter_page)).to_have_count(0)
    jupyter_page.page.mouse.move(640, 800)  # off the button, which is drawn pressed under it
    jupyter_page.screenshots(f"toolbar-{jupyter_page.server.kind}")


def test_the_palette_opens_the_form(jupyter_page, write_notebook):
    write_notebook(jupyter_page.server, "palette.ipynb", STAND_IN)
    jupyter_page.open("palette.ipynb")
    jupyter_page.run_all()

    jupyter_page.execute("apputils:activate-command-palette")
    jupyter_page.page.locator(".lm-CommandPalette-input").fill("Picsellia deploy")
    jupyter_page.page.locator(".lm-CommandPalette-item[data-command='picsellia:deploy']").click()

    expect(dialog(jupyter_page)).to_be_visible()


def test_the_shortcut_opens_the_form(lab_page, write_notebook):
    write_notebook(lab_page.server, "shortcut.ipynb", STAND_IN)
    lab_page.open("shortcut.ipynb")
    lab_page.run_all()
    lab_page.cell(0).locator(".jp-InputArea-prompt").click()

    lab_page.page.keyboard.press("Control+Shift+Y")

    expect(dialog(lab_page)).to_be_visible()


WITHOUT_SUBSHELLS = """() => Object.defineProperty(
    window.jupyterapp.shell.currentWidget.sessionContext.session.kernel,
    'supportsSubshells', { value: false }
)"""


class BusyNotebook:
    """A notebook whose second cell runs until it is let go."""

    SOURCE = (
        "import pathlib, time\nprint('it runs')\n"
        "while not pathlib.Path({gate!r}).exists(): time.sleep(0.05)"
    )

    def __init__(self, page: JupyterPage, write_notebook, name: str) -> None:
        self.page, self.gate = page, page.server.root / f"{name}.gate"
        self.source = self.SOURCE.format(gate=self.gate.name)
        write_notebook(page.server, f"{name}.ipynb", STAND_IN, self.source)
        page.open(f"{name}.ipynb")

    def begin(self) -> None:
        self.page.page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
        self.page.wait_for_cell(STAND_IN)
        # Its status may be shown as idle meanwhile, in JupyterLab 4.2.
        expect(self.page.cell(1).locator(".jp-OutputArea")).to_contain_text("it runs")
        self.page.page.locator(BUTTON).get_by_role("button").click()

    def let_go(self) -> None:
        self.gate.touch()
        self.page.wait_for_cell(self.source)


def test_a_busy_kernel_opens_the_form_beside_its_cell(lab_page, write_notebook):
    busy = BusyNotebook(lab_page, write_notebook, "beside-cell")
    if not lab_page.page.evaluate(f"{KERNEL}.supportsSubshells === true"):
        pytest.skip("this JupyterLab or this kernel has no subshells")
    busy.begin()

    expect(dialog(lab_page)).to_be_visible()
    assert lab_page.cells()[1].execution_count is None
    dialog(lab_page).get_by_role("button", name="Deploy", exact=True).click()
    lab_page.wait_for(
        "window.jupyterapp.shell.currentWidget.content.widgets.length === 3", timeout_s=15
    )
    line = "%deploy digits --threshold 0.1 --name quickstart"
    assert line in [cell.source for cell in lab_page.cells()]
    busy.let_go()


def test_a_busy_kernel_without_subshells_says_so_and_opens_it_afterwards(lab_page, write_notebook):
    busy = BusyNotebook(lab_page, write_notebook, "after-cell")
    lab_page.page.evaluate(WITHOUT_SUBSHELLS)
    busy.begin()

    told = lab_page.page.locator(".jp-toastContainer")
    expect(told).to_contain_text("The kernel is busy: the form opens when its cells have run.")
    expect(dialog(lab_page)).to_have_count(0)
    busy.let_go()
    expect(dialog(lab_page)).to_be_visible()


def test_a_kernel_without_the_package_is_told_as_such(lab_page, write_notebook):
    missing = "import sys\nsys.modules['picsellia_jupyter'] = None"
    write_notebook(lab_page.server, "missing.ipynb", missing)
    lab_page.open("missing.ipynb")
    lab_page.run_all()

    lab_page.execute("picsellia:deploy")

    told = lab_page.page.locator(".jp-toastContainer")
    expect(told).to_contain_text("%pip install picsellia_jupyter")


def test_what_the_form_takes_is_imported_once_the_magics_are_loaded(lab_page, write_notebook):
    write_notebook(lab_page.server, "warm.ipynb", "%load_ext picsellia_jupyter")
    lab_page.open("warm.ipynb")
    assert lab_page.ask(IMPORTED) == "False"
    (cell,) = lab_page.run_all()

    lab_page.wait_for_answer(IMPORTED, "True")
    assert cell.outputs == ()


def test_what_the_settings_say_is_filled_in(lab_page, write_notebook):
    write_notebook(lab_page.server, "settings.ipynb", STAND_IN)
    raw = '{"threshold": 0.3, "place": "gpu1"}'
    address = "lab/api/settings/picsellia-jupyter:platform"
    lab_page.server.request("PUT", address, {"raw": raw})
    try:
        lab_page.open("settings.ipynb")
        lab_page.run_all()
        lab_page.execute("picsellia:deploy", model="digits:2")
        expect(dialog(lab_page)).to_be_visible()
        given = lab_page.ask("opened[-1].given")
        assert given == "{'model': 'digits:2', 'threshold': 0.3, 'on': 'gpu1'}"
    finally:
        lab_page.server.request("PUT", address, {"raw": "{}"})


def test_in_notebook_7_the_command_needs_an_open_notebook(notebook_page, write_notebook):
    write_notebook(notebook_page.server, "enabled.ipynb", "1")
    notebook_page.open("enabled.ipynb")
    notebook_page.wait_for(ENABLED)

    notebook_page.page.goto(f"{notebook_page.server.url}tree?token={notebook_page.server.token}")
    notebook_page.wait_for("window.jupyterapp?.commands.hasCommand('picsellia:deploy')")

    assert notebook_page.page.evaluate(ENABLED) is False


def test_the_plugins_are_active_and_have_settings_pages(lab_page, write_notebook):
    write_notebook(lab_page.server, "plugin.ipynb", "1")
    lab_page.open("plugin.ipynb")

    for name in ("platform", "deploy", "dialog", "sidebar", "status", "files", "notices", "panels"):
        lab_page.wait_for(f"window.jupyterapp.isPluginActivated('picsellia-jupyter:{name}')")
    titles = [
        lab_page.server.request("GET", f"lab/api/settings/picsellia-jupyter:{name}").json()
        for name in ("deploy", "platform")
    ]
    assert [found["schema"]["title"] for found in titles] == ["Picsellia deploy", "Picsellia"]
