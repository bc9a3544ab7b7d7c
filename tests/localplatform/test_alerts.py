"""Alerts of a running platform, and messages to a real webhook on loopback."""

import base64
import hashlib
import hmac
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address

import numpy as np
import pytest

from picsellia_jupyter.localplatform import webhooks
from picsellia_jupyter.localplatform.watching import watch
from picsellia_jupyter.localplatform.webhooks import (
    UndeliverableError,
    deliver,
    destination,
    is_public,
)
from tests.localplatform.bulk import insert


class Hook:
    """A web server that notes what it is sent and answers as it is told."""

    def __init__(self):
        self.got, self.answers = [], []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((self.path, dict(self.headers), body.decode()))
                status = outer.answers.pop(0) if outer.answers else 204
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"http://127.0.0.1:{outer.port}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://localhost:{self.port}/hook?a=1"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def hook():
    made = Hook()
    yield made
    made.stop()


def of(deployment, rest):
    return f"/api/local/deployments/{deployment['id']}/{rest}"


def alert(world, deployment, **settings):
    made = world.user.post(of(deployment, "alerts"), json={"name": "watched", **settings})
    assert made.status_code == 201, made.text
    return made.json()


def fired(world, deployment):
    return world.user.get(of(deployment, "alerts/fired")).json()["items"]


def state(world, deployment):
    [one] = world.user.get(of(deployment, "alerts")).json()["items"]
    return one


def record(world, deployment, number, caller=None, **changes):
    caller = caller or world.login(deployment)
    for _ in range(number):
        reply = world.monitor(deployment, caller, sample=False, image=None, **changes)
        assert reply.status_code == 201, reply.text


# Episodes ------------------------------------------------------------------------------------


def test_slow_predictions_are_one_episode_with_its_count_until_a_rest(world):
    deployment = world.deployment()
    alert(world, deployment, limit=0.5, cooldown_s=60)
    for latency in (0.6, 0.1, 0.9, 0.7):
        record(world, deployment, 1, latency=latency)
        world.clock.pass_by(10)
    [one] = fired(world, deployment)
    assert (one["count"], one["value"], one["worst"], one["ended_at"]) == (3, 0.6, 0.9, None)
    assert state(world, deployment)["state"] == "firing"
    world.clock.pass_by(60)
    watch(world.platform)
    [one] = fired(world, deployment)
    assert one["ended_at"] == world.clock()
    assert state(world, deployment)["state"] == "ok"
    record(world, deployment, 1, latency=0.8)
    assert [one["count"] for one in fired(world, deployment)] == [1, 3]


def test_a_shadow_model_that_is_slow_fires_nothing(world):
    deployment = world.deployment()
    shadow = world.version("shadow")
    world.user.post(
        f"/api/deployment/{deployment['id']}/shadow", json={"model_version_id": shadow["id"]}
    )
    alert(world, deployment, limit=0.5)
    raw = {"detection_classes": [], "detection_scores": [], "detection_boxes": []}
    record(world, deployment, 1, latency=0.1, shadow_latency=0.9, shadow_raw_predictions=raw)
    assert fired(world, deployment) == []


def test_what_nobody_looked_at_in_time_is_over_when_the_next_begins(world):
    deployment = world.deployment()
    alert(world, deployment, limit=0.5, cooldown_s=60)
    record(world, deployment, 1, latency=0.6)
    world.clock.pass_by(3600)
    record(world, deployment, 1, latency=0.7)
    second, first = fired(world, deployment)
    assert first["ended_at"] == second["created_at"]
    assert second["ended_at"] is None


def test_the_mean_latency_of_a_window_is_watched(world):
    deployment = world.deployment()
    alert(world, deployment, metric="avg_latency", limit=0.2, window_s=600)
    watch(world.platform)
    assert state(world, deployment)["reason"] == "There is no prediction in the window."
    assert state(world, deployment)["state"] == "unknown"
    record(world, deployment, 2, latency=0.3)
    world.clock.pass_by(10)
    assert watch(world.platform) == 1
    assert watch(world.platform) == 0
    assert state(world, deployment)["value"] == pytest.approx(0.3)
    [one] = fired(world, deployment)
    assert (one["oracle_prediction_id"], one["count"]) == (None, 1)


def test_silence_is_watched_from_when_the_alert_was_made(world):
    deployment = world.deployment()
    record(world, deployment, 1)
    world.clock.pass_by(10_000)
    alert(world, deployment, metric="no_traffic", limit=300)
    watch(world.platform)
    assert (state(world, deployment)["value"], fired(world, deployment)) == (0, [])
    world.clock.pass_by(301)
    watch(world.platform)
    assert fired(world, deployment)[0]["value"] == pytest.approx(301)


@pytest.mark.parametrize(("metric", "limit"), [("is_drift", 0.5), ("distribution", 0.2)])
def test_a_window_whose_scores_and_labels_moved_fires_and_too_few_say_so(world, metric, limit):
    deployment = world.deployment()
    alert(world, deployment, metric=metric, window_s=3600)
    random = np.random.default_rng(8)
    start = world.clock()
    insert(world, deployment, start + np.arange(220) / 10, random.normal(0.6, 0.05, 220), 0)
    world.clock.pass_by(22)
    watch(world.platform)
    assert (
        "There are too few predictions: 0 in the window, 220 in the baseline"
        in state(world, deployment)["reason"]
    )
    assert state(world, deployment)["limit"] == limit


@pytest.mark.parametrize("metric", ["error_rate", "is_outlier", "stats.ap_50_95"])
def test_what_cannot_be_measured_is_unknown_and_says_why(world, metric):
    deployment = world.deployment()
    alert(world, deployment, metric=metric, limit=0.5)
    watch(world.platform)
    one = state(world, deployment)
    assert (one["state"], one["value"]) == ("unknown", None)
    assert one["reason"].endswith(".")
    assert fired(world, deployment) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_the_average_precision_of_what_was_reviewed_is_watched(world):
    deployment = world.deployment()
    caller = world.login(deployment)
    alert(world, deployment, metric="stats.ap_50_95", operator="<", limit=0.9)
    label = world.user.get(f"/api/deployment/{deployment['id']}/labels").json()["items"][0]
    # The review agrees with the one shape of each prediction in half of the images.
    boxes = {"detection_boxes": [[2, 1, 20, 30]]}
    raw = {"detection_classes": [0], "detection_scores": [0.6], **boxes}
    for number in range(20):
        record = {"filename": f"{number}.png", "raw_predictions": raw, "sample": True}
        world.monitor(deployment, caller, **record)
        asset = world.user.get(
            f"/api/deployment/{deployment['id']}/predictedassets/find",
            params={"filename": f"{number}.png"},
        ).json()
        box = {"x": 1, "y": 2, "w": 29, "h": 18 if number % 2 else 2, "label_id": label["id"]}
        reply = world.user.post(
            f"/api/predicted/asset/{asset['id']}/reviews", json={"rectangles": [box]}
        )
        assert reply.status_code == 201, reply.text
    watch(world.platform)
    one = state(world, deployment)
    assert one["state"] == "firing", one
    assert 0.2 < one["value"] < 0.6


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"metric": "latency"}, "has no limit of its own"),
        ({"limit": 1, "clear_limit": 2}, "cannot be over at 2"),
        ({"limit": 1, "webhook_url": "ftp://x/y"}, "no address of a webhook"),
        ({"limit": 1, "webhook_url": "http://[oops"}, "no address of a webhook"),
        ({"limit": 1, "webhook_url": "https://me:pw@x.org/"}, "has a user in it"),
        ({"limit": 1, "webhook_url": "http://x.org/"}, "told in the clear"),
    ],
)
def test_alerts_that_cannot_be_meant_are_refused(world, wrong, said):
    reply = world.user.post(of(world.deployment(), "alerts"), json={"name": "x", **wrong})
    assert reply.status_code == 400
    assert said in reply.json()["message"]


# Webhooks ------------------------------------------------------------------------------------


def test_an_episode_is_told_when_it_opens_and_when_it_closes_signed(world, hook):
    deployment = world.deployment()
    made = alert(
        world, deployment, limit=0.5, cooldown_s=60, webhook_url=hook.url, webhook_private=True
    )
    assert made["webhook_host"] == "localhost"
    record(world, deployment, 5, latency=0.6)
    assert deliver(world.platform) == 1
    assert deliver(world.platform) == 0
    world.clock.pass_by(60)
    watch(world.platform)
    deliver(world.platform)
    secret = world.user.get(f"/api/local/alerts/{made['id']}/webhook").json()["secret"]
    assert [json.loads(body)["type"] for *_, body in hook.got] == ["alert.opened", "alert.closed"]
    path, headers, body = hook.got[0]
    assert (path, headers["Host"]) == ("/hook?a=1", f"localhost:{hook.port}")
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    told = json.loads(hook.got[1][2])["data"]
    assert told["deployment"] == {"id": deployment["id"], "name": "lines"}
    assert told["episode"]["count"] == 5
    states = world.user.get(f"/api/local/alerts/{made['id']}/deliveries").json()["items"]
    assert [one["state"] for one in states] == ["DELIVERED"] * 2


def test_a_message_is_tried_again_with_growing_pauses_under_the_same_id(world, hook):
    deployment = world.deployment()
    made = alert(world, deployment, limit=0.5, webhook_url=hook.url, webhook_private=True)
    hook.answers = [503, 500]
    record(world, deployment, 1, latency=0.6)
    for pause in (0, 5, 30):
        world.clock.pass_by(pause - 0.5)
        deliver(world.platform)
        world.clock.pass_by(0.5)
        assert deliver(world.platform) == 1
    assert len({headers["webhook-id"] for _, headers, _ in hook.got}) == 1
    [one] = world.user.get(f"/api/local/alerts/{made['id']}/deliveries").json()["items"]
    assert (one["state"], one["attempts"], one["error"]) == ("DELIVERED", 3, "")


def test_a_webhook_that_never_takes_it_has_failed_at_last(world, hook):
    deployment = world.deployment()
    made = alert(world, deployment, limit=0.5, webhook_url=hook.url, webhook_private=True)
    hook.answers = [503] * 20
    record(world, deployment, 1, latency=0.6)
    tries = 0
    while done := deliver(world.platform):
        tries += done
        world.clock.pass_by(21_600)
    [one] = world.user.get(f"/api/local/alerts/{made['id']}/deliveries").json()["items"]
    assert (one["state"], tries) == ("FAILED", len(webhooks.PAUSES_S) + 1)
    assert "answered 503" in one["error"]


@pytest.mark.parametrize(
    ("status", "said"), [(302, "leads elsewhere (302)"), (410, "is gone (410)")]
)
def test_redirects_are_not_followed_and_what_is_gone_is_left_alone(world, hook, status, said):
    deployment = world.deployment()
    made = alert(world, deployment, limit=0.5, webhook_url=hook.url, webhook_private=True)
    hook.answers = [status]
    record(world, deployment, 1, latency=0.6)
    deliver(world.platform)
    world.clock.pass_by(1e6)
    assert deliver(world.platform) == 0
    assert [path for path, *_ in hook.got] == ["/hook?a=1"]
    [one] = world.user.get(f"/api/local/alerts/{made['id']}/deliveries").json()["items"]
    assert one["state"] == "FAILED"
    assert said in one["error"]


def test_addresses_of_this_network_are_refused_unless_they_are_meant(world, hook):
    with pytest.raises(UndeliverableError, match="an address inside of this network") as refused:
        destination(f"https://localhost:{hook.port}/", private=False)
    assert "webhook_private=true" in refused.value.remedy
    meant = destination(hook.url, private=True)
    assert meant.host == f"localhost:{hook.port}"
    assert "localhost" not in meant.pinned_url


def test_a_name_that_is_public_at_first_and_private_later_leads_nowhere_private(monkeypatch):
    answers = iter(["93.184.216.34", "127.0.0.1"])

    def lookup(_host, port, **_options):
        return [(2, 1, 6, "", (next(answers), port))]

    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lookup)
    found = destination("https://rebinding.example/x", private=False)
    assert found.pinned_url == "https://93.184.216.34:443/x"


def test_a_message_goes_to_the_address_that_was_checked_and_to_no_later_one(
    world, hook, monkeypatch
):
    deployment, lookup = world.deployment(), socket.getaddrinfo
    answers = iter(["127.0.0.1"])

    def rebinding(host, *rest, **options):
        return lookup(next(answers) if host == "rebinding.example" else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = f"http://rebinding.example:{hook.port}/hook"
    alert(world, deployment, limit=0.5, webhook_url=url, webhook_private=True)
    record(world, deployment, 1, latency=0.6)
    assert deliver(world.platform) == 1
    assert [path for path, *_ in hook.got] == ["/hook"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("127.0.0.1", False),
        ("10.1.2.3", False), ("172.16.0.1", False), ("192.168.1.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False), ("::1", False),
        ("fe80::1", False), ("fd00::1", False), ("::ffff:127.0.0.1", False),
        ("::ffff:93.184.216.34", True), ("64:ff9b::7f00:1", False), ("2002:7f00:1::", False),
        ("2001:0:4136:e378:8000:63bf:3fff:fdd2", False), ("224.0.0.1", False), ("ff02::1", False),
    ],
)  # fmt: skip
def test_which_addresses_are_the_internets(address, public):
    assert is_public(ip_address(address)) is public


def test_a_message_waits_for_a_webhook_that_is_away_and_survives_a_restart(
    tmp_path, open_world, hook
):
    world = open_world(tmp_path)
    deployment = world.deployment()
    alert(world, deployment, limit=0.5, webhook_url="http://127.0.0.1:9/", webhook_private=True)
    record(world, deployment, 1, latency=0.6)
    assert deliver(world.platform) == 1
    world.platform.store.close()
    again = open_world(tmp_path, world.clock)
    [one] = again.user.get(of(deployment, "alerts")).json()["items"]
    again.user.patch(f"/api/local/alerts/{one['id']}", json={"webhook_url": hook.url})
    world.clock.pass_by(10)
    deliver(again.platform)
    assert len(hook.got) == 1
    again.user.patch(f"/api/local/alerts/{one['id']}", json={"webhook_url": ""})
    assert state(again, deployment)["webhook_host"] is None
    again.platform.store.close()
