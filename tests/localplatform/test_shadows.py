"""Images that the shadow model has not seen, and what another one has."""

import pytest

from tests.localplatform.conftest import monitored
from tests.localplatform.test_continuous_deployment import another_version, now_of, of
from tests.localplatform.test_loop import reviewed
from tests.localplatform.test_promoting import shadow


@pytest.fixture
def database():
    """The data directory's own: test_promoting.py has PostgreSQL run the same statements."""
    return


@pytest.fixture
def line(world):
    """A deployment with a shadow, with five images of which one was seen by it."""
    deployment = world.deployment("line")
    shadow(world, deployment, another_version(world, deployment))
    caller = world.login(deployment)
    for number in range(5):
        seen = {
            "shadow_raw_predictions": monitored()["raw_predictions"], "shadow_latency": 0.1,
        } if number == 2 else {}  # fmt: skip
        world.monitor(deployment, caller, filename=f"{number}.png", sample=True, **seen)
        world.clock.pass_by(1)
    return deployment


def asked(world, deployment, **params):
    reply = world.user.get(of(deployment, "unshadowed"), params=params)
    assert reply.status_code == 200, reply.text
    return reply.json()


def names(told):
    return [one["filename"] for one in told["items"]]


def test_what_no_shadow_has_seen_is_listed_newest_first_in_parts(world, line):
    whole = asked(world, line)
    assert (names(whole), whole["count"]) == (["4.png", "3.png", "1.png", "0.png"], 4)
    part = asked(world, line, limit=2)
    assert (names(part), part["count"]) == (["4.png", "3.png"], 4)
    rest = asked(world, line, limit=2, after=part["items"][-1]["id"])
    assert names(rest) == ["1.png", "0.png"]
    connector = world.user.get(f"/api/deployment/{line['id']}/datalake/connector").json()["id"]
    assert {one["connector_id"] for one in whole["items"]} == {connector}


def test_only_those_that_are_reviewed(world, line):
    assert names(asked(world, line, reviewed=True)) == []
    reviewed(world, line, "other.png")
    assert names(asked(world, line, reviewed=True)) == ["other.png"]


def test_what_another_shadow_has_seen_is_counted(world, line):
    assert asked(world, line)["by_others"] == 0
    shadow(world, line, another_version(world, line))
    told = asked(world, line)
    assert (told["count"], told["by_others"]) == (4, 1)


def test_a_shadow_is_taken_away(world, line):
    assert world.user.delete(of(line, "shadow")).status_code == 204
    assert now_of(world, line) == (line["model_version_id"], None)


def test_an_unknown_prediction_continues_nothing(world, line):
    params = {"after": "44444444-4444-4444-8444-444444444444"}
    assert world.user.get(of(line, "unshadowed"), params=params).status_code == 404
