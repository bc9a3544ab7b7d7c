"""A client that asks again for a prediction that it has no answer to, over real HTTP."""

import re
import uuid

import httpx
import pytest

from picsellia_jupyter.clients.endpoint import Endpoint
from picsellia_jupyter.domain.errors import InvalidInputError, NotServingError
from picsellia_jupyter.serving import idempotency
from tests.serving import fakes
from tests.serving.test_batch import head_of, post

KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
ROUTE = f"/api/deployments/{fakes.DEPLOYMENT}/predict"
PHOTO, ANOTHER = fakes.picture(), fakes.picture(width=96)


def ask(kernel, image=PHOTO, key=KEY, **fields):
    return httpx.post(
        kernel.program.address + ROUTE,
        headers=head_of(kernel, **{"Idempotency-Key": key}),
        files={"media": ("page.jpg", image)},
        data=fields,
    )


def recorded_ids(kernel):
    kernel.service.flush(5)
    return [predicted.prediction_id for _, _, predicted, _ in kernel.platform.recorded]


def test_the_same_request_names_the_same_prediction(serving):
    first, again = ask(serving).json(), ask(serving, key=f'"{KEY.upper()}"').json()

    assert uuid.UUID(first["id"]).version == 5
    assert again["id"] == first["id"]
    # The platform has each id once, and says so; here both are sent to it.
    assert set(recorded_ids(serving)) == {first["id"]}


def test_another_image_with_the_same_key_is_another_prediction(serving):
    assert ask(serving).json()["id"] != ask(serving, ANOTHER).json()["id"]
    assert len(set(recorded_ids(serving))) == 2


def test_what_is_not_monitored_has_no_id_with_a_key_either(serving):
    assert ask(serving, monitor="False").json()["id"] is None


def test_another_deployment_makes_another_id_of_the_same_key():
    key = uuid.UUID(KEY)
    assert idempotency.prediction_id(key, "a", PHOTO) != idempotency.prediction_id(key, "b", PHOTO)
    assert idempotency.prediction_id(None, "a", PHOTO) is None


def test_equal_images_of_a_batch_are_a_prediction_each(serving):
    images = [PHOTO, PHOTO, ANOTHER]
    key = {"Idempotency-Key": KEY}
    first, _ = post(serving, images, **key)
    again, _ = post(serving, images, **key)

    ids = [line["prediction"]["id"] for line in first]
    assert [line["prediction"]["id"] for line in again] == ids
    assert len(set(ids)) == 3
    assert set(recorded_ids(serving)) == set(ids)


@pytest.mark.parametrize("key", ["1", "", "ä", f"{KEY}, {KEY}", "x" * 5000])
def test_a_key_that_is_no_uuid_is_refused(serving, key):
    reply = ask(serving, key=key.encode())

    assert reply.status_code == 400
    assert re.fullmatch(r"Idempotency-Key is '.{0,200}'\.", reply.json()["message"])
    assert "one new UUID for each request" in reply.json()["detail"]
    assert recorded_ids(serving) == []


def test_several_keys_are_refused():
    pair = (idempotency.HEADER, KEY.encode())
    assert idempotency.key_of([pair]) == uuid.UUID(KEY)
    with pytest.raises(InvalidInputError, match="Idempotency-Key is"):
        idempotency.key_of([pair, pair])


class Breaking(httpx.BaseTransport):
    """Passes requests on, and breaks the connection before the answer of some of them."""

    def __init__(self, *, breaks: int) -> None:
        self.breaks, self.predicted = breaks, 0
        self._to = httpx.HTTPTransport()

    def close(self) -> None:
        self._to.close()

    def handle_request(self, request):
        reply: httpx.Response = self._to.handle_request(request)
        if not request.url.path.startswith(ROUTE):
            return reply
        self.predicted += 1
        if self.predicted > self.breaks:
            return reply
        reply.read()
        reply.close()
        if not request.url.path.endswith("/batch"):
            raise httpx.RemoteProtocolError("Server disconnected without sending a response.")
        # The first line alone arrives.
        return httpx.Response(200, stream=Torn(reply.content.splitlines(keepends=True)[0]))


class Torn(httpx.SyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    def __iter__(self):
        yield self._content
        raise httpx.ReadError("Connection reset by peer")


@pytest.fixture
def broken(serving):
    """An endpoint whose first answers get lost, and its transport: `broken(2)`."""
    made = []

    def make(breaks):
        endpoint = Endpoint(serving.program.address, "api-token-canary", fakes.DEPLOYMENT)
        endpoint.close()
        transport = Breaking(breaks=breaks)
        endpoint._http = httpx.Client(base_url=endpoint.address, transport=transport)
        made.append(endpoint)
        return endpoint, transport

    yield make
    for endpoint in made:
        endpoint.close()


def test_a_lost_answer_is_asked_for_again_under_the_same_id(serving, broken):
    endpoint, transport = broken(2)
    found = endpoint.predict(PHOTO, "page.jpg")

    assert transport.predicted == 3
    assert len(recorded_ids(serving)) == 3
    assert set(recorded_ids(serving)) == {found.prediction_id}


def test_a_batch_whose_answer_breaks_off_is_sent_again_as_a_whole(serving, broken):
    endpoint, transport = broken(2)
    outcomes = endpoint.predict_many([(f"{n}.jpg", lambda: PHOTO) for n in range(4)])

    assert transport.predicted == 3
    ids = [outcome.prediction_id for outcome in outcomes]
    assert len(set(ids)) == 4
    assert set(recorded_ids(serving)) == set(ids)


def test_one_that_is_lost_again_and_again_is_told(broken):
    endpoint, transport = broken(99)
    with pytest.raises(NotServingError, match="does not answer"):
        endpoint.predict(PHOTO, "page.jpg")
    assert transport.predicted == 4

    outcomes = endpoint.predict_many([("a.jpg", lambda: PHOTO), ("b.jpg", lambda: PHOTO)])
    # What did arrive is kept.
    assert sorted(type(outcome).__name__ for outcome in outcomes) == [
        "NotServingError", "PredictedImage",
    ]  # fmt: skip
    assert transport.predicted == 8
