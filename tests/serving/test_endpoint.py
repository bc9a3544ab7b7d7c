"""The notebook's client of a serving kernel, against a real front."""

import httpx
import pytest

from picsellia_jupyter.clients.batches import BatchRequest
from picsellia_jupyter.clients.endpoint import Endpoint
from picsellia_jupyter.clients.front import Backlog, Front
from picsellia_jupyter.domain.deployments import ServingState
from picsellia_jupyter.domain.errors import (
    AuthenticationError,
    InvalidImageError,
    NotFoundError,
    NotServingError,
    PicselliaJupyterError,
)
from tests.serving import fakes

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"


@pytest.fixture
def endpoint(serving):
    return Endpoint(serving.program.address, "api-token-canary", fakes.DEPLOYMENT)


def test_everything_that_was_found_comes_back_unfiltered(serving, endpoint):
    serving.platform.threshold = 0.99

    found = endpoint.predict(fakes.picture(), "page.jpg")

    assert len(found.found) > 0
    assert (found.size.width, found.size.height) == (128, 96)
    assert found.prediction_id is not None


def test_flushing_waits_until_every_prediction_is_recorded(serving, endpoint):
    for _ in range(5):
        endpoint.predict(fakes.picture(), "page.jpg")

    assert endpoint.flush(10.0) == Backlog()
    assert len(serving.platform.recorded) == 5


def test_what_is_not_monitored_is_not_recorded(serving, endpoint):
    assert endpoint.predict(fakes.picture(), "page.jpg", monitor=False).prediction_id is None
    assert endpoint.flush(10.0) == Backlog()
    assert serving.platform.recorded == []


def test_tags_arrive_with_the_record(serving, endpoint):
    endpoint.predict(fakes.picture(), "page.jpg", tags=["night", "rain"])
    endpoint.flush(10.0)

    assert list(serving.platform.recorded[0][3]["tags"]) == ["night", "rain"]


def test_a_bad_image_is_an_invalid_image_by_name(endpoint):
    with pytest.raises(InvalidImageError, match=r"notes\.txt"):
        endpoint.predict(b"not an image", "notes.txt")


def test_stopping_ends_the_kernels_serving(own):
    endpoint = Endpoint(own.program.address, "api-token-canary", fakes.DEPLOYMENT)
    endpoint.predict(fakes.picture(), "page.jpg")

    endpoint.stop()

    assert own.service.status.state is ServingState.STOPPED
    assert len(own.platform.recorded) == 1
    with pytest.raises(NotServingError):
        endpoint.predict(fakes.picture(), "page.jpg")


def test_nobody_at_the_address_is_not_serving():
    with pytest.raises(NotServingError, match="does not answer"):
        Endpoint("http://127.0.0.1:9", "t", fakes.DEPLOYMENT).predict(b"", "a.jpg")


def test_a_deployment_that_is_served_elsewhere_is_not_found(serving):
    other = "99999999-9999-4999-8999-999999999999"

    with pytest.raises(NotFoundError):
        Endpoint(serving.program.address, "api-token-canary", other).predict(b"", "a.jpg")


@pytest.mark.parametrize("route", ["flush", "stop", "predict"])
def test_a_token_of_another_deployment_opens_no_route(serving, endpoint, route):
    endpoint.flush(1.0)
    endpoint._deployment_id = "99999999-9999-4999-8999-999999999999"

    with pytest.raises(AuthenticationError):
        endpoint._send("POST", f"/api/deployments/{endpoint._deployment_id}/{route}", json={})


def test_the_control_side_tells_state_and_takes_no_other_token(serving):
    with_token = Front(serving.program.address, "front-token-canary")
    assert with_token.status()["state"] == "ready"

    with pytest.raises(PicselliaJupyterError, match="token"):
        Front(serving.program.address, "wrong").status()


def images_of(*contents):
    return [
        (f"{place}.jpg", lambda content=content: content) for place, content in enumerate(contents)
    ]


def test_many_images_come_back_in_their_order_and_each_fails_alone(serving, endpoint):
    def unreadable():
        raise InvalidImageError("lost.jpg cannot be read.", "Check its path.")

    good, bad = fakes.picture(), b"no image"
    images = images_of(*[good] * 33, bad, *[good] * 33)
    images[5] = ('a "b"\\c\n.jpg', images[5][1])
    images[40] = ("lost.jpg", unreadable)

    outcomes = endpoint.predict_many(images, monitor=False)

    assert len(outcomes) == 67
    failed = {place: str(one) for place, one in enumerate(outcomes) if isinstance(one, Exception)}
    assert list(failed) == [33, 40]
    assert "'33.jpg' cannot be read as an image" in failed[33]
    assert failed[40].startswith("lost.jpg cannot be read.")
    assert [one.source for one in outcomes if not isinstance(one, Exception)] == [
        name for place, (name, _) in enumerate(images) if place not in failed
    ]


def test_many_images_are_recorded_with_their_tags(serving, endpoint):
    endpoint.predict_many(images_of(*[fakes.picture()] * 3), tags=["night"])
    assert endpoint.flush(10.0) == Backlog()
    assert [list(extra["tags"]) for *_, extra in serving.platform.recorded] == [["night"]] * 3


def test_an_expired_token_is_renewed_for_a_batch(endpoint):
    endpoint._jwt = "expired"
    outcomes = endpoint.predict_many(images_of(*[fakes.picture()] * 2), monitor=False)
    assert not any(isinstance(one, Exception) for one in outcomes)


def test_a_server_without_batches_is_sent_one_image_after_another(endpoint, monkeypatch):
    paths = []
    stream = endpoint._http.stream

    def elsewhere(method, path, **how):
        paths.append(path)
        return stream(method, f"{path}/unknown", **how)

    monkeypatch.setattr(endpoint._http, "stream", elsewhere)
    for _ in range(2):
        outcomes = endpoint.predict_many(images_of(*[fakes.picture()] * 2), monitor=False)
        assert [one.source for one in outcomes] == ["0.jpg", "1.jpg"]
    assert len(paths) == 1


def test_nobody_at_the_address_is_told_for_every_image():
    endpoint = Endpoint("http://127.0.0.1:9", "t", fakes.DEPLOYMENT)
    outcomes = endpoint.predict_many(images_of(b"", b""))
    assert [type(one) for one in outcomes] == [NotServingError] * 2


def test_images_that_are_left_when_the_answer_ends_early_have_no_answer():
    request = BatchRequest(images_of(b"a", b"b"), monitor=True, tags=[], key=KEY)
    list(request.body())
    line = '{"index": 0, "status": 400, "error": {"message": "Bad.", "error": "InvalidImageError"}}'
    first, second = request.outcomes([line])
    assert isinstance(first, InvalidImageError)
    assert isinstance(second, NotServingError)
    assert "ended before" in str(second)


def test_what_runs_is_told_to_who_holds_the_deployments_token(endpoint):
    running = endpoint.running()

    assert running is not None
    assert (running.device, running.precision) == ("cpu", "fp32")
    assert running.workers >= 1
    assert running.memory_bytes > 1_000_000
    assert running.idle_s == 12 * 3600
    assert running.idle_left_s is not None
    assert 0 < running.idle_left_s <= 12 * 3600


def test_where_nobody_answers_nothing_is_said_of_what_runs():
    assert Endpoint("http://127.0.0.1:9", "t", fakes.DEPLOYMENT).running() is None


class Starting(httpx.BaseTransport):
    """A kernel that was started anew: its first answers to a login are that it is starting."""

    def __init__(self) -> None:
        self.logins = 0
        self._to = httpx.HTTPTransport()

    def handle_request(self, request):
        self.logins += request.url.path == "/api/login"
        if request.url.path == "/api/login" and self.logins <= 2:
            said = {"message": "The serving kernel is starting.", "detail": "Wait."}
            return httpx.Response(503, json=said, headers={"Retry-After": "0"})
        return self._to.handle_request(request)


def test_a_kernel_that_is_starting_again_is_waited_for_with_the_login(serving):
    endpoint = Endpoint(serving.program.address, "api-token-canary", fakes.DEPLOYMENT)
    for ask in (
        lambda: [endpoint.predict(fakes.picture(), "page.jpg")],
        lambda: endpoint.predict_many(images_of(*[fakes.picture()] * 2)),
    ):
        endpoint.close()
        starting = Starting()
        endpoint._http = httpx.Client(base_url=endpoint.address, transport=starting)
        endpoint._jwt = "of the process before"
        assert not any(isinstance(found, Exception) for found in ask())
        assert starting.logins == 3
    endpoint.close()


def test_of_many_images_only_a_few_requests_are_ahead_of_who_asks(serving, endpoint):
    read = []

    def images():
        for place in range(400):
            read.append(place)
            yield f"{place}.jpg", fakes.picture

    outcomes = endpoint.predict_each(images(), monitor=False)

    assert read == []
    assert next(outcomes).source == "0.jpg"
    assert len(read) <= 96
    outcomes.close()
    assert len(read) <= 96
