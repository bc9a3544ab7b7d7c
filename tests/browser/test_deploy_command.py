"""The command "Deploy model…" and its button, in JupyterLab and in Notebook 7."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

# Stands in for the package, so that what is tested here is the front end alone.
STAND_IN = """
import sys, types

def deploy(line):
    print(f"deployable: digits-detector ({line!r})")

stand_in = types.ModuleType("picsellia_jupyter")
stand_in.load_ipython_extension = lambda shell: shell.register_magic_function(deploy)
sys.modules["picsellia_jupyter"] = stand_in
"""
BUTTON = ".jp-NotebookPanel-toolbar [data-jp-item-name='picsellia-deploy']"
LABEL = "Deploy model…"
INSERTED = "%load_ext picsellia_jupyter\n%deploy"
SAID = "deployable: digits-detector ('')\n"


@pytest.fixture(params=["lab", "notebook"])
def jupyter_page(request):
    """A page on each of the two applications in turn."""
    return request.getfixturevalue(f"{request.param}_page")


def test_the_button_inserts_a_cell_below_the_active_one_and_runs_it(jupyter_page, write_notebook):
    write_notebook(jupyter_page.server, "button.ipynb", STAND_IN, "'mine'", "'also mine'")
    jupyter_page.open("button.ipynb")
    jupyter_page.run_all()
    jupyter_page.cell(1).locator(".jp-InputArea-prompt").click()

    jupyter_page.page.locator(BUTTON).get_by_role("button", name=LABEL).click()

    assert jupyter_page.wait_for_cell(INSERTED).text() == SAID
    sources = [cell.source for cell in jupyter_page.cells()]
    assert sources == [STAND_IN, "'mine'", INSERTED, "'also mine'"]
    jupyter_page.page.mouse.move(640, 800)  # off the button, which is drawn pressed under it
    jupyter_page.screenshots(f"toolbar-{jupyter_page.server.kind}")


def test_the_palette_runs_the_command(jupyter_page, write_notebook):
    write_notebook(jupyter_page.server, "palette.ipynb", STAND_IN)
    jupyter_page.open("palette.ipynb")
    jupyter_page.run_all()

    jupyter_page.execute("apputils:activate-command-palette")
    jupyter_page.page.locator(".lm-CommandPalette-input").fill("Picsellia deploy")
    jupyter_page.page.locator(".lm-CommandPalette-item[data-command='picsellia:deploy']").click()

    assert jupyter_page.wait_for_cell(INSERTED).text() == SAID


def test_an_extension_that_is_loaded_is_not_loaded_again(lab_page, write_notebook):
    loading = "%load_ext picsellia_jupyter"
    write_notebook(lab_page.server, "loaded.ipynb", STAND_IN, loading)
    lab_page.open("loaded.ipynb")
    lab_page.run_all()
    lab_page.cell(1).locator(".jp-InputArea-prompt").click()

    lab_page.execute("picsellia:deploy")

    assert [cell.source for cell in lab_page.cells()] == [STAND_IN, loading, "%deploy"]
    assert lab_page.cells()[2].text() == SAID


def test_one_undo_takes_the_inserted_cell_away_again(lab_page, write_notebook):
    write_notebook(lab_page.server, "undo.ipynb", STAND_IN)
    lab_page.open("undo.ipynb")
    lab_page.run_all()
    lab_page.execute("picsellia:deploy")

    lab_page.execute("notebook:undo-cell-action")

    assert [cell.source for cell in lab_page.cells()] == [STAND_IN]


def test_a_busy_kernel_gets_the_cell_queued_at_once(lab_page, write_notebook):
    busy = "import pathlib, time\nwhile not pathlib.Path('go-on').exists(): time.sleep(0.05)"
    write_notebook(lab_page.server, "busy.ipynb", STAND_IN, busy)
    lab_page.open("busy.ipynb")
    lab_page.page.evaluate("void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    lab_page.wait_for("document.querySelector('.jp-Notebook-ExecutionIndicator[data-status=busy]')")

    lab_page.page.locator(BUTTON).get_by_role("button").click()
    lab_page.wait_for("window.jupyterapp.shell.currentWidget.content.widgets.length === 3")
    (queued,) = (cell for cell in lab_page.cells() if cell.source == INSERTED)
    assert queued.execution_count is None

    (lab_page.server.root / "go-on").touch()
    assert lab_page.wait_for_cell(INSERTED).text() == SAID


def test_the_command_is_disabled_where_no_notebook_is_open(lab_page, write_notebook):
    write_notebook(lab_page.server, "closed.ipynb", "1")
    lab_page.open("closed.ipynb")
    enabled = "window.jupyterapp.commands.isEnabled('picsellia:deploy')"
    lab_page.wait_for(enabled)

    lab_page.execute("docmanager:save")  # else closing asks whether to
    lab_page.execute("application:close-all")

    lab_page.wait_for(f"!{enabled}")


def test_the_plugin_is_active_and_has_a_settings_page(lab_page, write_notebook):
    write_notebook(lab_page.server, "plugin.ipynb", "1")
    lab_page.open("plugin.ipynb")

    active = "window.jupyterapp.isPluginActivated('picsellia-jupyter:deploy')"
    assert lab_page.page.evaluate(active) is True
    reply = lab_page.server.request("GET", "lab/api/settings/picsellia-jupyter:deploy")
    assert reply.json()["schema"]["title"] == "Picsellia deploy"


def test_in_a_new_notebook_the_button_runs_the_real_magic(lab_page, write_notebook):
    write_notebook(lab_page.server, "new.ipynb", "")
    lab_page.open("new.ipynb")

    lab_page.page.locator(BUTTON).get_by_role("button").click()

    outputs = lab_page.wait_for_cell(INSERTED).outputs
    assert [output["output_type"] for output in outputs] == ["display_data"]
