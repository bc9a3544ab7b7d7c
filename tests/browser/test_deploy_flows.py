"""The whole way from a bare `%deploy` to the card of a deployment, as the platform's own page goes.

Both applications, both strategies, with and without a threshold, by mouse and by keyboard alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.deploy_form import SOURCES, DeployPage
from tests.browser.deploying import Person, Wish, by_keyboard, by_mouse, store_broken
from tests.browser.page import JupyterPage
from tests.browser.server import JupyterServer

pytestmark = [pytest.mark.browser, pytest.mark.journey]

DETECTOR, CLASSIFIER = "digits-detector:0", "digits-classifier:0"
WAYS = {"mouse": by_mouse, "keyboard": by_keyboard}
SHORT = (
    ("notebook", DETECTOR, "monitoring", "keyboard"),
    ("notebook", CLASSIFIER, "serving", "mouse"),
)
"""`test_deploy_modal.py` goes two other ways in JupyterLab."""
ALL = [
    (kind, model, strategy, way)
    for kind in ("lab", "notebook")
    for model in (DETECTOR, CLASSIFIER)
    for strategy in ("serving", "monitoring")
    for way in WAYS
]


@pytest.fixture(scope="module")
def sessions() -> Iterator[Callable[[JupyterServer], Session]]:
    """A session with the demo models and two datalakes for each server that is asked for."""
    known: dict[JupyterServer, Session] = {}

    def furnished(server: JupyterServer) -> Session:
        if server not in known:
            known[server] = session = Session(home=server.home)
            seed(session)
            session.create_datalake("press line")
        return known[server]

    yield furnished
    for server in known:
        local_platform.stop(server.home)


@pytest.mark.parametrize(("kind", "model", "strategy", "way"), ALL)
def test_a_model_is_deployed(
    kind: str, model: str, strategy: str, way: str, long: bool, sessions, write_notebook, request
):
    if not long and (kind, model, strategy, way) not in SHORT:
        pytest.skip("two of its kind are tried; --long tries all")
    page: JupyterPage = request.getfixturevalue(f"{kind}_page")
    session: Session = sessions(page.server)
    wish = Wish(model, strategy, f"{model[:8]}-{strategy}-{way}", "press line", model == DETECTOR)
    notebook = f"flow-{kind}-{wish.name}.ipynb"
    write_notebook(page.server, notebook, *SOURCES)
    form = DeployPage(page, notebook)

    person: Person = WAYS[way]
    person(form, wish)

    badge = "ready" if strategy == "serving" else "not served"
    expect(form.output.locator(".pxj-badge")).to_have_text(badge, timeout=90_000)
    expect(form.form).to_have_count(0)
    assert set(form.saved()) == {"text/html", "text/plain"}
    record = session.deployment(wish.name).record
    assert (record.strategy.value, record.datalake_name) == (strategy, "press line")
    assert record.threshold > 0.1 if wish.threshold else not record.threshold
    session.undeploy(wish.name, delete=True)


def test_what_is_wrong_is_at_its_field_in_notebook_7(
    sessions, notebook_page: JupyterPage, write_notebook, tmp_path: Path
):
    """As `test_deploy_modal.py` has it in JupyterLab."""
    session: Session = sessions(notebook_page.server)
    broken = store_broken(session, tmp_path)
    session.deploy(CLASSIFIER, strategy="monitoring", name="taken")
    session.set_quota(0)
    try:
        write_notebook(notebook_page.server, "errors.ipynb", *SOURCES)
        form = DeployPage(notebook_page, "errors.ipynb", can_deploy=False)

        _spent_quota_is_at_the_strategy(form)
        _taken_name_is_at_the_name(form)
        session.set_quota(None)
        _broken_model_is_at_the_model(form, broken)
    finally:
        session.set_quota(None)
        session.undeploy("taken", delete=True)
    assert broken not in [one.model_title for one in session.deployments().records]


def _spent_quota_is_at_the_strategy(form: DeployPage) -> None:
    expect(form.strategy.get_by_role("alert")).to_contain_text("MPU")
    expect(form.button("Deploy")).to_be_disabled()
    assert form.violations() == []
    form.screenshots("notebook-quota-spent")
    form.card("Monitoring only").click()
    expect(form.button("Deploy")).to_be_enabled()


def _taken_name_is_at_the_name(form: DeployPage) -> None:
    form.name("taken")
    expect(form.naming.get_by_role("alert")).to_contain_text("exists already")
    expect(form.button("Deploy")).to_be_disabled()
    assert form.violations() == []
    form.screenshots("notebook-name-taken")
    form.name("")
    expect(form.button("Deploy")).to_be_enabled()


def _broken_model_is_at_the_model(form: DeployPage, broken: str) -> None:
    form.card("Picsellia Serving").click()
    form.field("Model version").select_option(label=broken)
    expect(form.form.locator(".pxj-line code")).to_contain_text(f"{broken} --strategy serving")
    form.button("Deploy").click()
    expect(form.form.get_by_role("alert")).to_be_visible(timeout=60_000)
    expect(form.field("Model version")).to_be_focused()
    assert form.violations() == []
    form.screenshots("notebook-broken-model")
