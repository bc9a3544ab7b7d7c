"""What a serving kernel asks of the cloud, one request at a time."""

from __future__ import annotations

import dataclasses
import io
import time
import uuid

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter import monitor
from picsellia_jupyter.clients.kernel import CLOUD_INTERVAL_S, KernelClient
from picsellia_jupyter.domain.deployments import Heartbeat, ServingKernel, ServingState
from picsellia_jupyter.domain.errors import InvalidInputError, NotFoundError, PlatformError
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.recording.records import Record

SIZE = ImageSize(64, 48)


@pytest.fixture
def deployment(session):
    made = session.deploy("digits-detector", strategy="monitoring", threshold=0.3, name="asked")
    yield made
    made.undeploy(delete=True)


@pytest.fixture
def client(cloud, session) -> KernelClient:
    return KernelClient.connect(cloud.host, cloud.token)


def predicted() -> PredictedImage:
    found = Detections(
        classes=np.array([1]), scores=np.array([0.9], np.float32),
        boxes_xyxy=np.array([[1, 2, 30, 40]], np.float32),
    )  # fmt: skip
    return PredictedImage("photo.png", SIZE, found, 0.02, str(uuid.uuid4()))


def record(**changes) -> Record:
    found = dataclasses.replace(predicted(), **changes)
    return Record(found, photo(), "image/png", time.time())


def photo() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (SIZE.width, SIZE.height)).save(file, "PNG")
    return file.getvalue()


def test_a_heartbeat_only_asks_for_the_deployment(client, deployment):
    kernel = ServingKernel("k", "http://127.0.0.1:4000", "local")

    reply = client.heartbeat(deployment.id, Heartbeat(ServingState.READY, kernel))

    assert (reply.threshold, reply.interval_s) == (0.3, CLOUD_INTERVAL_S)
    with pytest.raises(NotFoundError):
        client.heartbeat(str(uuid.uuid4()), Heartbeat(ServingState.READY, kernel))


def test_the_shadow_model_is_heard_of_and_recorded(client, deployment, session):
    (model,) = [m for m in session.registry().models if m.name == "digits-detector"]
    version = session.sdk.get_model_version_by_id(model.versions[0].id)
    session.sdk.get_deployment("asked").set_shadow_model(version)
    kernel = ServingKernel("k", "http://127.0.0.1:4000", "local")

    reply = client.heartbeat(deployment.id, Heartbeat(ServingState.READY, kernel))
    champion = client.monitor(deployment.id, record())
    client.monitor_shadow(deployment.id, champion, predicted())

    assert reply.shadow_version_id == model.versions[0].id
    asset = session.sdk.get_deployment("asked").find_predicted_asset(oracle_prediction_id=champion)
    assert asset.get_shadow_prediction() is not None


def test_what_is_sent_again_is_looked_for_first(client, deployment):
    image = record()
    first = client.monitor(deployment.id, image)

    again = client.monitor(deployment.id, image, again=True)

    assert again == first
    assert client.count_recorded(deployment.id) == 1
    assert client.recorded_as(deployment.id, str(uuid.uuid4())) == []


def test_the_sdk_does_not_send_it_again_by_itself(client, deployment, cloud):
    cloud.notes.plan(lost_replies=1)

    with pytest.raises(PlatformError):
        client.monitor(deployment.id, record())

    assert client.count_recorded(deployment.id) == 1


def test_a_conflict_is_believed_where_the_prediction_is_there(client, deployment, cloud):
    image = record()
    first = client.monitor(deployment.id, image)
    cloud.notes.plan(conflicts=1)

    assert client.monitor(deployment.id, image) == first


def test_a_conflict_is_not_believed_where_it_is_not(client, deployment, cloud):
    cloud.notes.plan(conflicts=1)

    with pytest.raises(InvalidInputError, match="says that it has this prediction") as caught:
        client.monitor(deployment.id, record())

    assert f"{cloud.host}/deployment/{deployment.id}" in caught.value.remedy


def test_an_image_of_the_target_datalake_is_fetched_and_recorded(client, deployment, session):
    sdk = session.sdk.get_deployment("asked")
    client.monitor(deployment.id, record())
    data = sdk.list_predicted_assets(limit=1)[0].get_data()
    connector = str(session.platform.datalakes()[0].connector_id)

    there = client.stored_image(deployment.id, connector, data.object_name, at_most=10**6)
    client.monitor(deployment.id, dataclasses.replace(record(), stored_as=data.object_name))

    assert there == photo()


def test_a_prediction_without_an_id_is_sent_as_it_is(client, deployment):
    image = record(prediction_id=None)

    assert client.monitor(deployment.id, image, again=True)
    assert client.duplicates(deployment.id) == {}


def test_a_server_of_ones_own_records_each_prediction_once(cloud, session, deployment):
    cloud.notes.plan(lost_replies=1)

    with monitor("asked", session=session) as own:
        for _ in range(3):
            with own(photo()) as m:
                m.detections = predicted().found
        assert own.flush(60) == 0

    assert cloud.notes.faults.lost_replies == 0
    assert session.platform.count_recorded(deployment.id) == 3
    assert deployment.duplicates() == {}
