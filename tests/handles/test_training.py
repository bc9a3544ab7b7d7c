"""What sets training off, set up by program against a real local platform."""

from __future__ import annotations

import uuid

import pytest

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, NotFoundError
from picsellia_jupyter.session import Session
from tests.reviewing import Furnished


@pytest.fixture
def line(platform):
    name = f"line {uuid.uuid4().hex[:8]}"
    Furnished(platform.host, platform.token, name)
    return Session(platform.host, platform.token).deployment(name)


def test_training_that_is_not_set_up_says_how_it_is(line):
    assert "not set up" in repr(line.training)
    assert "deployment.setup_continuous_training(project, …)" in repr(line.training)
    assert line.training.runs == ()
    with pytest.raises(ConflictError, match="is not set up"):
        line.training.start()
    with pytest.raises(NotFoundError, match="has had no training run"):
        line.training.newest()


def test_alerts_and_schedules_set_it_off(line):
    line.add_alert("is_drift", name="drifts")
    with pytest.raises(NotFoundError, match="Did you mean 'drifts'"):
        line.training.on_alert("drift")

    assert line.training.on_alert("drifts", rest="24h") == "when 'drifts' fires"
    assert line.training.every("7d") == "every 7 days"

    assert sorted(line.training.triggers.values()) == ["every 7 days", "when 'drifts' fires"]
    for trigger in line.training.triggers:
        line.training.remove_trigger(trigger)
    assert line.training.triggers == {}


def test_a_schedule_is_a_span_of_time(line):
    with pytest.raises(InvalidInputError, match="'all' is no span of time"):
        line.training.every("all")
    with pytest.raises(NotFoundError, match="There is no attached dataset named 'eval'"):
        line.training.detach("eval")
