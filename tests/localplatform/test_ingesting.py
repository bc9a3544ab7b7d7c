"""Predictions of many clients at once."""

import asyncio
import uuid

import httpx
import pytest
from sqlalchemy import func, select

from picsellia_jupyter.localplatform.store import Store
from picsellia_jupyter.localplatform.tables.deployments import Prediction
from picsellia_jupyter.wire.resources import PREDICTION_ID_KEY
from tests.localplatform.conftest import monitored

BASE = "http://127.0.0.1:8123"


def body(prediction_id=None, **changes):
    found = {"detection_classes": [0], "detection_scores": [0.5], "detection_boxes": [[1, 2, 3, 4]]}
    return {
        "filename": "page.png", "content_type": "IMAGE/PNG", "width": 48, "height": 32,
        "raw_predictions": found, "latency": 0.01, "sample": False,
        "custom_metadata": {PREDICTION_ID_KEY: prediction_id or str(uuid.uuid4())}, **changes,
    }  # fmt: skip


async def send(world, token, deployment, bodies):
    transport = httpx.ASGITransport(world.app)
    headers = {"Authorization": f"Bearer {token}"}
    path = f"/api/deployment/{deployment['id']}/predictions"
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
        return await asyncio.gather(*(client.post(path, json=one) for one in bodies))


def sent(world, deployment, bodies):
    login = {"api_token": world.token, "deployment_id": deployment["id"]}
    token = world.stranger.post("/api/auth/login", json=login).json()["jwt"]
    return asyncio.run(send(world, token, deployment, bodies))


@pytest.fixture
def deployment(world):
    return world.deployment()


def counted(world):
    with world.platform.store.reading() as session:
        return session.scalar(select(func.count()).select_from(Prediction))


def test_many_at_once_are_each_recorded_once_in_few_transactions(world, deployment, monkeypatch):
    submitted = []
    submit = Store.submit
    monkeypatch.setattr(
        Store, "submit", lambda store, work: submitted.append(work) or submit(store, work)
    )
    replies = sent(world, deployment, [body() for _ in range(200)])
    assert {reply.status_code for reply in replies} == {201}
    assert len({reply.json()["id"] for reply in replies}) == counted(world) == 200
    assert len(submitted) < 20
    page = world.user.get(f"/api/deployment/{deployment['id']}").json()
    assert page["inferences"] == 200


def test_one_that_is_refused_does_not_keep_the_others_out(world, deployment):
    mine = str(uuid.uuid4())
    replies = sent(
        world,
        deployment,
        [
            body(mine),
            body(mine),
            body(raw_predictions={"detection_classes": [0], "detection_scores": [0.5]}),
            body(shadow_raw_predictions={"detection_classes": []}),
            body(),
        ],
    )
    assert [reply.status_code for reply in replies] == [201, 409, 400, 400, 201]
    assert "already been processed" in replies[1].json()["message"]
    assert "no shadow model" in replies[3].json()["message"]
    assert counted(world) == 2


def with_image(prediction_id=None, **changes):
    mine = {PREDICTION_ID_KEY: prediction_id or str(uuid.uuid4())}
    return monitored(custom_metadata=mine, **changes)


def stored_blobs(world):
    return list(world.home.glob("storage/*/*/*"))


def test_of_many_images_at_once_with_one_id_one_is_stored(world, deployment):
    mine = str(uuid.uuid4())
    replies = sent(world, deployment, [with_image(mine) for _ in range(8)])
    assert sorted(reply.status_code for reply in replies) == [201] + [409] * 7
    assert counted(world) == len(stored_blobs(world)) == 1


def test_images_at_once_are_data_with_their_own_tags_and_sources(world, deployment):
    replies = sent(
        world, deployment, [with_image(tags=["night"], source=f"camera {n}") for n in range(9)]
    )
    assert {reply.status_code for reply in replies} == {201}
    listed = f"/api/deployment/{deployment['id']}/predictedassets"
    items = world.user.get(listed).json()["items"]
    assert len({item["data"]["data_source"]["name"] for item in items}) == 9
    assert {item["oracle_prediction_id"] for item in items} == {r.json()["id"] for r in replies}
    assert len(stored_blobs(world)) == 9


def test_an_image_of_a_prediction_that_was_refused_is_not_left_behind(world, deployment):
    raw = {"detection_classes": [0], "detection_scores": [0.5]}
    replies = sent(world, deployment, [with_image(raw_predictions=raw), with_image()])
    assert [reply.status_code for reply in replies] == [400, 201]
    assert counted(world) == len(stored_blobs(world)) == 1


def test_one_that_the_database_finds_known_does_not_keep_the_others_out(world, deployment):
    mine = str(uuid.uuid4())
    assert [reply.status_code for reply in sent(world, deployment, [body(mine)])] == [201]
    replies = sent(world, deployment, [body(), body(mine), with_image(), body(raw_predictions={})])
    assert [reply.status_code for reply in replies] == [201, 409, 201, 400]
    assert counted(world) == 3
    assert world.user.get(f"/api/deployment/{deployment['id']}").json()["inferences"] == 3


def test_a_deployment_that_was_deleted_takes_no_predictions(world, deployment):
    login = {"api_token": world.token, "deployment_id": deployment["id"]}
    token = world.stranger.post("/api/auth/login", json=login).json()["jwt"]
    world.user.delete(f"/api/deployment/{deployment['id']}?force_delete=True")
    [reply] = asyncio.run(send(world, token, deployment, [body()]))
    assert reply.status_code == 404


def test_an_image_that_is_not_kept_may_be_left_out_but_must_be_one_where_it_is_sent(
    world, deployment
):
    replies = sent(world, deployment, [body(), body(image="aGVsbG8="), body(sample=True)])
    assert [reply.status_code for reply in replies] == [201, 400, 400]


def test_a_malformed_prediction_is_refused_as_everywhere(world, deployment):
    replies = sent(world, deployment, [body(latency="slow"), body(timestamp=2e12), {}])
    assert [reply.status_code for reply in replies] == [422, 422, 422]
    assert "latency" in replies[0].json()["message"]
    assert "milliseconds" in replies[1].json()["message"]


def test_a_failing_database_is_told_to_everybody_who_waits(world, deployment, monkeypatch):
    def broken(_store, _work):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "submit", broken)
    replies = sent(world, deployment, [body() for _ in range(5)])
    assert {reply.status_code for reply in replies} <= {500, 507}
    monkeypatch.undo()
    assert [reply.status_code for reply in sent(world, deployment, [body()])] == [201]


def test_alerts_are_fired_by_predictions_with_and_without_an_image(world, deployment):
    alerts = f"/api/local/deployments/{deployment['id']}/alerts"
    made = world.user.post(
        alerts, json={"name": "slow", "metric": "latency", "operator": ">", "limit": 0.5}
    )
    assert made.status_code == 201, made.text
    sent(world, deployment, [body(latency=0.6), body(latency=0.4)])
    world.monitor(deployment, latency=0.7, sample=True)
    [fired] = world.user.get(f"{alerts}/fired").json()["items"]
    assert (fired["value"], fired["worst"], fired["count"]) == (0.6, 0.7, 2)
