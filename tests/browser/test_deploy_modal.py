"""The Deploy modal in a real JupyterLab, by mouse and by keyboard alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.deploy_form import SOURCES, DeployPage
from tests.browser.deploying import store_broken
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer

pytestmark = [pytest.mark.browser, pytest.mark.journey]


@pytest.fixture(scope="module")
def session(jupyter_lab: JupyterServer) -> Iterator[Session]:
    session = Session(home=jupyter_lab.home)
    try:
        seed(session)
        session.create_datalake("press line")
        yield session
    finally:
        local_platform.stop(jupyter_lab.home)


@pytest.fixture(scope="module")
def broken(session: Session, tmp_path_factory: pytest.TempPathFactory) -> str:
    return store_broken(session, tmp_path_factory.mktemp("broken"))


@pytest.fixture
def form(
    session: Session, broken: str, lab_page: JupyterPage, write_notebook, request
) -> DeployPage:
    notebook = f"{request.node.name}.ipynb"
    write_notebook(lab_page.server, notebook, *SOURCES)
    return DeployPage(lab_page, notebook)


def test_a_detector_is_served_by_mouse(form: DeployPage, session: Session):
    form.field("Model version").select_option(label="digits-detector:0")
    form.name("by-mouse")
    expect(form.form.locator(".pxj-line code")).to_contain_text("--name by-mouse")
    assert form.line() == (
        "%deploy digits-detector:0 --strategy serving --threshold 0.1 --datalake default "
        "--on local --name by-mouse"
    )
    assert form.violations() == []
    form.screenshots("form-serving")
    form.button("Copy").click()
    expect(form.button("Copied")).to_be_visible()
    form.button("Insert in notebook").click()
    form.page.wait_for("window.jupyterapp.shell.currentWidget.content.widgets.length === 3")
    assert [cell.source for cell in form.page.cells()] == [*SOURCES, form.line()]

    form.button("Deploy").click()
    expect(form.form.locator(".pxj-steps")).to_be_visible()
    expect(form.form.locator(".pxj-steps")).to_contain_text("digits-detector:0", timeout=30_000)
    form.screenshots("progress")
    expect(form.output.locator(".pxj-badge")).to_have_text("ready", timeout=90_000)

    expect(form.form).to_have_count(0)
    assert set(form.saved()) == {"text/html", "text/plain"}
    form.page.screenshots("deploy-card", cell=1)
    session.undeploy("by-mouse", delete=True)


def test_a_classifier_is_monitored_by_keyboard_alone(form: DeployPage, session: Session):
    form.tab_to(form.field("Model version"))
    form.type("digits-c")
    expect(form.form.locator(".pxj-threshold")).to_be_hidden()
    form.choose_card_by_keys("Monitoring only")
    form.tab_to(form.field("Name"))
    form.type("by-keyboard")
    form.press("Tab")
    expect(form.form.locator(".pxj-line code")).to_contain_text("--name by-keyboard")
    assert form.line() == (
        "%deploy digits-classifier:0 --strategy monitoring --datalake default --name by-keyboard"
    )
    assert form.violations() == []
    form.screenshots("form-monitoring")

    form.tab_to(form.button("Deploy"))
    form.press("Enter")
    expect(form.output.locator(".pxj-badge")).to_have_text("not served", timeout=30_000)

    expect(form.output).to_contain_text("Send predictions from your own infrastructure")
    form.page.screenshots("deploy-card-monitoring", cell=1)
    form.page.execute("docmanager:save")
    form.page.open(form.notebook)
    expect(form.output).to_contain_text("Send predictions from your own infrastructure")
    session.undeploy("by-keyboard", delete=True)


@pytest.fixture
def taken(session: Session) -> Iterator[str]:
    """The name of a deployment of something else."""
    session.deploy("digits-classifier", strategy="monitoring", name="taken")
    yield "taken"
    session.undeploy("taken", delete=True)


def test_errors_are_at_their_fields(taken: str, broken: str, form: DeployPage, session: Session):
    form.field("Model version").select_option(label="digits-detector:0")
    form.name(taken)

    expect(form.form.get_by_role("alert")).to_contain_text("exists already")
    expect(form.button("Deploy")).to_be_disabled()
    assert form.violations() == []
    form.screenshots("name-taken")

    form.name("")
    form.field("Model version").select_option(label=broken)
    form.button("Deploy").click()
    expect(form.form.get_by_role("alert")).to_be_visible(timeout=60_000)
    expect(form.field("Model version")).to_be_focused()
    form.screenshots("broken-model")
    assert broken not in [one.model_title for one in session.deployments().records]


@pytest.fixture
def spent(session: Session) -> Iterator[None]:
    """No MPU are left."""
    session.set_quota(0)
    yield
    session.set_quota(None)


def test_a_spent_quota_is_told_at_the_strategy_and_monitoring_needs_none(
    spent: None, session: Session, broken: str, lab_page: JupyterPage, write_notebook
):
    del spent, broken
    write_notebook(lab_page.server, "spent.ipynb", *SOURCES)
    form = DeployPage(lab_page, "spent.ipynb", can_deploy=False)
    expect(form.strategy.get_by_role("alert")).to_contain_text("MPU")
    expect(form.button("Deploy")).to_be_disabled()
    assert form.violations() == []
    form.screenshots("quota-spent")

    form.card("Monitoring only").click()
    expect(form.form.get_by_role("alert")).to_have_count(0)
    expect(form.button("Deploy")).to_be_enabled()
    form.press("Escape")
    expect(form.form).to_have_count(0)
