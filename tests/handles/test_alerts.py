"""Alerts by program and by magic, against a real local platform and a real web server."""

from __future__ import annotations

import uuid
from html.parser import HTMLParser

import pytest

from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError
from picsellia_jupyter.magics.alerts import ALERTS
from picsellia_jupyter.session import Session
from tests.localplatform.test_alerts import Hook
from tests.reviewing import Furnished


@pytest.fixture(scope="module")
def session(platform):
    return Session(platform.host, platform.token)


@pytest.fixture
def line(platform, session):
    name = f"line {uuid.uuid4().hex[:8]}"
    Furnished(platform.host, platform.token, name)
    return session.deployment(name)


@pytest.fixture
def hook():
    made = Hook()
    yield made
    made.stop()


def test_an_alert_is_added_as_it_is_written_and_removed_by_its_name(line):
    made = line.alerts.add("average latency > 300 ms until 200 ms over 10 min", cooldown_s=60)
    assert (made.condition, made.window_s) == ("avg_latency > 0.3", 600.0)
    line.alerts.add("drift over 24 h", name="drifts")
    assert [one.name for one in line.alerts] == [
        "drifts", "average latency > 300 ms until 200 ms over 10 min",
    ]  # fmt: skip
    assert line.alerts["drifts"].limit == 0.5
    line.alerts.remove("drifts")
    assert len(line.alerts) == 1
    with pytest.raises(NotFoundError, match="no alert named 'drifts'"):
        line.alerts.remove("drifts")


def test_alerts_show_themselves(line):
    assert repr(line.alerts) == "Nothing is watched yet."
    line.alerts.add("latency > 200 ms")
    line.alerts.add("drift over 24 h", name="<b>drifts")
    rows = repr(line.alerts).splitlines()
    assert rows[0].split() == ["Alert", "Condition", "Over", "State", "Last", "Webhook"]
    assert rows[1].split()[:6] == ["<b>drifts", "is_drift", ">", "0.5", "24", "h"]
    html = line.alerts._repr_mimebundle_()["text/html"]
    HTMLParser().feed(html)
    assert "<b>drifts" not in html
    assert "&lt;b&gt;drifts" in html
    for face in line._repr_mimebundle_().values():
        assert "0 of 2 firing" in face


def test_a_condition_that_clears_on_the_wrong_side_is_refused(line):
    with pytest.raises(InvalidInputError, match=r"cannot be over at 0\.4"):
        line.alerts.add("average latency > 300 ms until 400 ms")


def test_a_webhook_is_tried_at_once(line, hook):
    line.alerts.add("drift", name="drifts", webhook=hook.url, private=True)
    told = line.alerts.test("drifts")
    assert (told.is_delivered, str(told)) == (True, "localhost has taken the message.")
    [(path, headers, body)] = hook.got
    assert path == "/hook?a=1"
    assert '"type": "alert.test"' in body
    assert headers["webhook-signature"].startswith("v1,")
    assert line.alerts.secret("drifts").startswith("whsec_")
    hook.answers = [500]
    assert "answered 500" in str(line.alerts.test("drifts"))


def test_what_has_no_webhook_cannot_be_tried(line):
    line.alerts.add("drift", name="drifts")
    with pytest.raises(InvalidInputError, match="'drifts' has no webhook"):
        line.alerts.test("drifts")


def test_the_magic_does_the_same(session, line, hook):
    def run(rest):
        return ALERTS(session, f"'{line.name}' {rest}", {})

    assert len(run("")) == 0
    shown = run(f"add error rate > 5 % over 10 min --name fails --webhook {hook.url} --private")
    [one] = shown
    assert (one.name, one.condition, one.window_s) == ("fails", "error_rate > 0.05", 600.0)
    assert run("test fails").is_delivered
    assert [one.webhook_host for one in run("list")] == ["localhost"]
    assert len(run("remove fails")) == 0
    with pytest.raises(InvalidInputError, match="cannot be read"):
        run("add")
