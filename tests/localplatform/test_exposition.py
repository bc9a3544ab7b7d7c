"""Figures for Prometheus, read by its own parser."""

from prometheus_client.parser import text_string_to_metric_families

from picsellia_jupyter.localplatform.exposition import Family
from picsellia_jupyter.localplatform.folding import fold

PATH = "/api/local/metrics"


def samples(world):
    reply = world.user.get(PATH)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }


def test_predictions_count_once_whether_added_up_or_not(world):
    deployment = world.deployment()
    own = (
        ("deployment", "lines"),
        ("model_version", "model of lines:0"),
        ("role", "champion"),
    )
    for latency in (0.25, 0.5, 1.0):
        world.monitor(deployment, latency=latency, sample=False)
    for _ in range(3):
        found = samples(world)
        assert found[("picsellia_predictions_total", *own)] == 3
        assert found[("picsellia_prediction_latency_seconds_total", *own)] == 1.75
        assert found[("picsellia_last_prediction_timestamp_seconds", *own)] == world.clock.now
        fold(world.platform, at_once=2)


def test_an_alert_is_one_while_it_fires(world):
    deployment = world.deployment()
    path = f"/api/local/deployments/{deployment['id']}/alerts"
    for name, limit in (("slow", 0.001), ("slower", 5)):
        world.user.post(path, json={"name": name, "limit": limit})
    world.monitor(deployment, sample=False)
    found = {key[1][1]: value for key, value in samples(world).items() if "alert" in key[0]}
    assert found == {"slow": 1.0, "slower": 0.0}


def test_it_takes_a_token(world):
    assert world.stranger.get(PATH).status_code == 401


def test_quotes_and_line_ends_of_names_stay_inside_them():
    text = Family("a", "gauge", "One.", (({"name": 'x"} 1\n\\y'}, 1.0),)).text()
    [family] = text_string_to_metric_families(text)
    assert [sample.labels for sample in family.samples] == [{"name": 'x"} 1\n\\y'}]
