"""The whole way from a bare `%deploy` to the card of a deployment, as the platform's own page goes.

Both applications, both strategies, with and without a threshold, by mouse and by keyboard alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from picsellia_jupyter.demo.seed import seed
from picsellia_jupyter.launch import local_platform
from picsellia_jupyter.session import Session
from tests.browser.deploy_form import SOURCES, DeployPage
from tests.browser.deploying import Person, Wish, by_keyboard, by_mouse
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
