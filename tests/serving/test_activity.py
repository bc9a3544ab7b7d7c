"""What keeps a serving kernel from ending by itself, and what tells Jupyter it is in use."""

import asyncio
import threading

import pytest

from picsellia_jupyter.domain.errors import ConflictError, PlatformUnreachableError
from picsellia_jupyter.serving import resuming
from picsellia_jupyter.serving.activity import Activity
from picsellia_jupyter.serving.status import Status
from picsellia_jupyter.serving.watch import Watch
from tests.serving import fakes


def ask(activity, path, method="POST", during=lambda: None):
    async def app(_scope, _receive, _send):
        during()

    asyncio.run(activity.around(app)({"method": method, "path": path}, None, None))


@pytest.mark.parametrize(
    ("method", "path", "counts"),
    [
        ("POST", "/api/deployments/d/predict", True),
        ("POST", "/api/deployments/d/predict/batch", True),
        ("POST", "/api/v2/deployments/d/predict/shadow", True),
        ("POST", "/v2/models/m/infer", True),
        ("GET", "/metrics", False),
        ("GET", "/control/status", False),
        ("POST", "/api/login", False),
        ("POST", "/api/deployments/d/flush", False),
    ],
)
def test_only_what_asks_the_model_counts(method, path, counts):
    now = [0.0]
    activity = Activity(10.0, lambda: now[0])
    now[0] = 4.0
    ask(activity, path, method)
    assert activity.left_s == (10.0 if counts else 6.0)
    assert activity.report()["requests"] == counts


def test_a_long_request_is_no_idleness():
    now, left = [0.0], []
    activity = Activity(10.0, lambda: now[0])

    def take_long():
        now[0] = 100.0
        left.append(activity.left_s)

    ask(activity, "/v2/models/m/infer", during=take_long)
    assert left == [10.0]
    now[0] = 111.0
    assert activity.left_s == 0.0


def test_never_is_never():
    assert Activity(None).left_s is None


def test_a_watch_gives_a_sign_only_after_requests_and_tells_idleness_once():
    idle, signs, told = threading.Event(), [], []
    now = [0.0]
    activity = Activity(10.0, lambda: now[0])
    ask(activity, "/v2/models/m/infer")

    def sign():
        signs.append(activity.requests)
        now[0] = 11.0

    Watch(activity, lambda reason: (told.append(reason), idle.set()), sign, every_s=0.01)
    assert idle.wait(10)
    assert signs == [1]
    assert told == ["It had no request for 10s and ended; --idle sets another time"]


def test_the_status_says_when_it_ends(own):
    assert own.predict().status_code == 200
    status = own.status()
    assert status["idle_s"] == 12 * 3600
    assert 0 < status["idle_left_s"] <= status["idle_s"]
    assert status["requests"] == 1


class Attachable:
    def __init__(self, *outcomes):
        self.status = Status(dry_run=object())
        self.outcomes = list(outcomes)

    def attach(self, deployment_id):
        if error := self.outcomes.pop(0):
            raise error


def test_a_kernel_started_anew_waits_for_its_platform():
    attached, left = [], []
    service = Attachable(PlatformUnreachableError("Nobody answers."), None)
    resuming.attach_again(service, fakes.DEPLOYMENT, attached.append, left.append, retry_s=0)
    assert (attached, left) == ([fakes.DEPLOYMENT], [])


def test_a_kernel_started_anew_leaves_a_deployment_that_another_serves():
    attached, left = [], []
    service = Attachable(ConflictError("It is served by another serving kernel."))
    resuming.attach_again(service, fakes.DEPLOYMENT, attached.append, left.append, retry_s=0)
    assert attached == []
    assert left == [
        "The deployment was not taken up again: It is served by another serving kernel."
    ]
