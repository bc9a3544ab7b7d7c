"""What goes on in all deployments, as pages ask for it every few seconds."""

from picsellia_jupyter.domain.news import Firing
from picsellia_jupyter.domain.training import RunState
from picsellia_jupyter.localplatform.api.news import LATELY_S
from picsellia_jupyter.localplatform.watching import watch
from picsellia_jupyter.wire.news import news_from_json
from tests.localplatform.looping import continuous, of
from tests.localplatform.test_alerts import alert, record


def news(world):
    reply = world.user.get("/api/local/news")
    assert reply.status_code == 200, reply.text
    return news_from_json(reply.json())


def test_an_alert_is_news_while_it_fires_and_ten_minutes_longer(world):
    quiet, slow = world.deployment("quiet"), world.deployment("slow")
    alert(world, slow, name="too slow", limit=0.5, cooldown_s=60)
    assert news(world).alerts == ()

    record(world, quiet, 1, latency=0.9)
    record(world, slow, 1, latency=0.9)
    [one] = news(world).alerts
    assert one == Firing(one.id, slow["id"], "too slow", 0.9, is_over=False)
    assert news(world).alerts_of(quiet["id"]) == ()

    world.clock.pass_by(60)
    watch(world.platform)
    [ended] = news(world).alerts_of(slow["id"])
    assert (ended.id, ended.is_over) == (one.id, True)
    world.clock.pass_by(LATELY_S + 1)
    assert news(world).alerts == ()


def test_an_alert_that_no_prediction_sets_off_is_news_too(world):
    deployment = world.deployment()
    record(world, deployment, 1)
    alert(world, deployment, name="silent", metric="no_traffic", limit=300)
    world.clock.pass_by(301)
    watch(world.platform)
    assert [one.alert for one in news(world).alerts] == ["silent"]


def test_a_training_run_is_news_from_its_beginning_and_the_newest_is_told(world):
    deployment = continuous(world)
    assert news(world).run_of(deployment["id"]) is None
    first = world.user.post(of(deployment, "training/runs"), json={"place": "gpu1"}).json()

    run = news(world).run_of(deployment["id"])
    assert (run.id, run.state, run.place) == (first["id"], RunState.WAITING, "gpu1")

    world.user.post(f"/api/local/training/runs/{first['id']}/cancel")
    world.clock.pass_by(1)
    second = world.user.post(of(deployment, "training/runs"), json={}).json()
    assert [one.id for one in news(world).runs] == [second["id"], first["id"]]
    assert news(world).run_of(deployment["id"]).id == second["id"]
    world.clock.pass_by(LATELY_S + 1)
    assert [one.id for one in news(world).runs] == [second["id"]]
