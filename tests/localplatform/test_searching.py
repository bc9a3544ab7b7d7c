"""Searching predicted assets by what was found in them."""

from __future__ import annotations

import pytest

from picsellia_jupyter.localplatform import searching
from tests.localplatform.conftest import BOXES


@pytest.fixture
def lines(world):
    """Four pages, a minute apart; `one` is found at 0.9 in all but the last."""
    made = world.deployment(min_threshold=0.3)
    caller = world.login(made)
    pages = (
        {"tags": ["night"], "source": "camera 1"},
        {"source": "camera 1"},
        {"tags": ["night"]},
        {"raw_predictions": {**BOXES, "detection_scores": [0.25, 0.8]}},
    )
    for number, page in enumerate(pages):
        world.clock.pass_by(60)
        reply = world.monitor(made, caller, filename=f"Page-{number}.png", sample=True, **page)
        assert reply.status_code == 201, reply.text
    return made


def names(world, deployment, **asked):
    """The files that are found, and what leads on."""
    path = f"/api/local/deployments/{deployment['id']}/predictedassets"
    reply = world.user.get(path, params=asked)
    assert reply.status_code == 200, reply.text
    found = [world.user.get(f"/api/predicted/asset/{one['id']}") for one in reply.json()["items"]]
    return [one.json()["data"]["filename"] for one in found], reply.json()["next_cursor"]


def test_the_newest_come_first_and_a_cursor_leads_on(world, lines):
    first, cursor = names(world, lines, limit=3)

    assert first == ["Page-3.png", "Page-2.png", "Page-1.png"]
    assert names(world, lines, limit=3, cursor=cursor) == (["Page-0.png"], None)


@pytest.mark.parametrize(
    ("asked", "pages"),
    [
        ({"label": "one"}, [2, 1, 0]),
        ({"label": "zero"}, [3]),
        ({"label": "zero", "over": 0.2}, [3, 2, 1, 0]),
        ({"over": 0.85}, [2, 1, 0]),
        ({"over": 0.5, "up_to": 0.85}, [3]),
        ({"tag": "night"}, [2, 0]),
        ({"source": "camera 1"}, [1, 0]),
        ({"text": "PAGE-2"}, [2]),
        ({"text": "%"}, []),
        ({"tag": "night", "source": "camera 1"}, [0]),
    ],
)
def test_only_what_is_asked_for_is_found(world, lines, asked, pages):
    found, _ = names(world, lines, **asked)

    assert found == [f"Page-{number}.png" for number in pages]


def test_dates_bound_what_is_found(world, lines):
    now = world.clock()

    assert names(world, lines, since=now - 60)[0] == ["Page-3.png", "Page-2.png"]
    assert names(world, lines, until=now - 60)[0] == ["Page-1.png", "Page-0.png"]


def test_a_search_that_leaves_much_out_says_where_to_go_on(world, lines, monkeypatch):
    monkeypatch.setattr(searching, "CHUNK", 2)
    monkeypatch.setattr(searching, "MOST", 2)

    found, cursor = names(world, lines, source="nobody's")
    assert (found, cursor) == ([], None)
    found, cursor = names(world, lines, label="zero", over=0.85)
    assert found == []
    assert cursor


def test_a_label_that_the_deployment_has_not_is_named(world, lines):
    path = f"/api/local/deployments/{lines['id']}/predictedassets"

    reply = world.user.get(path, params={"label": "two"})

    assert reply.status_code == 404
    assert "'two'" in reply.text
    assert "zero" in reply.text


def test_a_shadow_model_can_be_taken_away(world, lines):
    other = world.version("other")
    world.user.post(f"/api/deployment/{lines['id']}/shadow", json={"model_version_id": other["id"]})

    done = world.user.delete(f"/api/local/deployments/{lines['id']}/shadow")

    assert done.status_code == 204
    told = world.user.get(f"/api/deployment/{lines['id']}").json()
    assert told["shadow_model_version_id"] is None
