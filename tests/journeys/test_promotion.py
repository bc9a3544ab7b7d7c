"""A champion that is replaced under load, in a real serving kernel of a real platform."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter

import httpx
import pytest

from picsellia_jupyter.demo import catalog
from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, ServingError
from picsellia_jupyter.domain.promotion import RolloutState
from picsellia_jupyter.session import Session

pytestmark = pytest.mark.journey
MODEL = "digits-classifier"


@pytest.fixture(scope="module")
def session(home):
    return Session(home=home)


@pytest.fixture(scope="module")
def line(session):
    """A deployment that is served, of a model with two versions more: a good and a broken one."""
    platform = session.platform
    demo = next(one for one in catalog.MODELS if one.name == MODEL)
    model = next(one for one in platform.models() if one.name == MODEL)
    for is_broken in (False, True):
        version = platform.create_version(
            model, kind=demo.type, framework=demo.framework, labels=demo.labels
        )
        for name, path in demo.files.items():
            if is_broken and name == "model-latest":
                broken = session._settings.results.parent / path.name
                broken.parent.mkdir(parents=True, exist_ok=True)
                broken.write_bytes(b"no model")
                path = broken  # noqa: PLW2901
            platform.store_file(version, name, path)
    deployment = session.deploy(f"{MODEL}:0", name="line", on="local", workers=1)
    yield deployment
    session.undeploy("line")


class Load:
    """Clients that predict without a pause; every answer is kept."""

    def __init__(self, session, deployment, clients=2):
        self.answers: list[tuple[int, str | None]] = []
        self._stop = threading.Event()
        record = deployment.refresh()
        self._path = f"{record.serving.address}/api/deployments/{record.id}/predict"
        login = {"api_token": session.platform.token, "deployment_id": record.id}
        said = httpx.post(f"{record.serving.address}/api/login", json=login)
        self._headers = {"Authorization": f"Bearer {said.json()['jwt']}"}
        self._image = next(path for path, _ in catalog.digits()).read_bytes()
        self._threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _ask(self):
        with httpx.Client(headers=self._headers, timeout=60) as front:
            while not self._stop.is_set():
                said = front.post(self._path, files={"media": ("digit.png", self._image)})
                self.answers.append((said.status_code, said.json().get("model_version_id")))

    def await_more(self, count):
        until = len(self.answers) + count
        for _ in range(6000):
            if len(self.answers) >= until:
                return
            self._stop.wait(0.02)
        raise AssertionError(f"only {len(self.answers)} answers")


def recorded(home, deployment):
    """How many predictions of each version the platform has."""
    database = sqlite3.connect(f"file:{home / 'platform.sqlite3'}?mode=ro", uri=True)
    query = "SELECT model_version_id, count(*) FROM prediction WHERE deployment_id = ? GROUP BY 1"
    rows = dict(database.execute(query, [deployment.id]).fetchall())
    database.close()
    return rows


def test_promoting_and_rolling_back_under_load_fails_no_request(session, line, home, long):
    times, each = (5, 1000) if long else (1, 40)
    before = Counter(recorded(home, line))
    with Load(session, line) as load:
        for _ in range(times):
            load.await_more(each)
            promoted = line.promote("1")
            load.await_more(each)
            back = line.rollback()
        load.await_more(each)
    assert line.flush(90).pending == 0
    assert {status for status, _ in load.answers} == {200}
    by_version = Counter(version for _, version in load.answers)
    assert len(by_version) == 2
    assert Counter(recorded(home, line)) - before == by_version
    assert promoted.in_words().startswith(
        f"{MODEL}:1 is the champion of line, before it {MODEL}:0. It predicts since "
    )
    assert back.is_served
    assert line.record.serving.model_version_id == line.record.model_version_id
    print(
        f"{len(load.answers):,} predictions, {2 * times} changes of the champion, 0 failed; "
        f"the last ready after {promoted.elapsed_s:.1f} s, back after {back.elapsed_s:.1f} s"
    )


def test_a_version_that_cannot_be_loaded_leaves_the_champion_and_says_why(session, line):
    with pytest.raises(ServingError) as refused:
        line.promote("2")
    assert refused.value.fact.startswith(f"{MODEL}:2 could not be loaded: ")
    assert refused.value.remedy.startswith(f"{MODEL}:0 stays the champion.")
    assert line.rollouts()[0].state is RolloutState.FAILED
    assert line.refresh().model_title == f"{MODEL}:0"
    assert line.predict(next(path for path, _ in catalog.digits()))
    fresh = session.deployment("line").record
    assert fresh.state.value == "ready"
    assert f"{MODEL}:0 goes on" in fresh.reason


def test_the_shadow_is_promoted_only_if_the_gate_lets_it(session, line):
    with pytest.raises(ConflictError, match="has no shadow model"):
        session.promote("line")
    line.shadow = f"{MODEL}:1"
    gate = line.set_gate("accuracy", by=0.01, at_least=50, evidence="reviews")
    assert line.gate == gate
    with pytest.raises(ConflictError) as refused:
        session.promote("line")
    assert refused.value.fact == (
        f"Not promoted: {MODEL}:1 is compared with the champion on 0 images (reviewed), and the "
        "gate asks for 50."
    )
    assert not line.verdict().passes
    done = session.promote("line", force=True)
    assert "Forced, against the gate: " in repr(done)
    assert "%rollback line" in done._repr_mimebundle_()["text/html"]
    line.gate = None
    assert line.gate is None
    assert session.rollback("line").rollout.title == f"{MODEL}:0"


def test_a_shadow_makes_up_for_what_it_has_not_seen_once(session, line, home):
    assert line.refresh().shadow_title == ""
    with pytest.raises(InvalidInputError, match="has no shadow model"):
        line.shadow_predict()
    images = [path for path, _ in catalog.digits()][:5]
    line.predict(*images)
    assert line.flush(60).pending == 0
    line.shadow = f"{MODEL}:1"
    first = line.shadow_predict(3)
    assert (first.done, first.failures) == (3, ())
    shadowed = "SELECT oracle_prediction_id FROM prediction WHERE deployment_id = ? AND is_shadow"
    with sqlite3.connect(home / "platform.sqlite3") as database:
        rows = database.execute(shadowed, [line.id]).fetchall()
    assert len(set(rows)) == len(rows)
    second = line.shadow_predict(4)
    assert second.done == 4
    assert second.left == first.left - 4
    assert repr(second).startswith(f"{MODEL}:1 has predicted on 4 images more; ")
    facts = line.pipeline().facts
    assert (facts.shadow, facts.shadow_predictions) == (f"{MODEL}:1", len(rows) + 4)
    line.shadow = None
