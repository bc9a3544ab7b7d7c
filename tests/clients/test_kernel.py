"""What a serving kernel fetches from a real local platform, by name and never by address."""

import time
import uuid

import numpy as np
import pytest
from PIL import Image

from picsellia_jupyter.clients.kernel import KernelClient
from picsellia_jupyter.domain.deployments import Heartbeat, ServingKernel, ServingState
from picsellia_jupyter.domain.errors import (
    InvalidImageError,
    InvalidInputError,
    NotFoundError,
    PlatformUnreachableError,
)
from picsellia_jupyter.domain.predictions import Detections, ImageSize, PredictedImage
from picsellia_jupyter.recording.records import Record
from tests.faults.chaos import chaos_before


@pytest.fixture(scope="module")
def world(start_platform, tmp_path_factory):
    """A client, a deployment, its connector and a stored photo with its object name."""
    running = start_platform(tmp_path_factory.mktemp("home"))
    client = KernelClient.connect(running.host, running.token)
    path = tmp_path_factory.mktemp("photos") / "a.png"
    Image.new("RGB", (48, 32), (9, 80, 160)).save(path)
    data = client.sdk_client.get_datalake().upload_data(str(path))
    model = client.sdk_client.create_model("m")
    versions = [
        model.create_version(type="OBJECT_DETECTION", labels={"0": "a"}, framework="ONNX")
        for _ in range(2)
    ]
    deployment = versions[0].deploy("d")
    connector = deployment._fetch_target_datalake_connector().id
    return client, deployment, str(connector), path, data.object_name, versions[1]


def fetch(world, *, connector=None, name=None, at_most=2**20):
    client, deployment, own, _, object_name, _ = world
    return client.stored_image(
        str(deployment.id), connector or own, name or object_name, at_most=at_most
    )


def test_an_image_of_the_target_datalake_is_fetched_whole(world):
    assert fetch(world) == world[3].read_bytes()


def test_another_storage_is_refused_with_the_right_one(world):
    with pytest.raises(InvalidInputError, match=f"its connector is {world[2]}"):
        fetch(world, connector=str(uuid.uuid4()))


@pytest.mark.parametrize("name", ["none.png", "../../platform.json", "http://127.0.0.1:9/a.png"])
def test_a_name_that_nothing_is_stored_under_is_never_looked_for_elsewhere(world, name):
    with pytest.raises((NotFoundError, InvalidInputError)):
        fetch(world, name=name)


def test_more_bytes_than_are_wanted_are_not_taken(world):
    with pytest.raises(InvalidImageError, match="has more than 0 MiB"):
        fetch(world, at_most=10)


def test_the_shadow_model_is_heard_of_in_the_reply_to_a_heartbeat(world):
    client, deployment, *_, shadow = world
    kernel = ServingKernel("k", "http://127.0.0.1:9", "local", 1)
    beat = Heartbeat(ServingState.STARTING, kernel, "")
    assert client.heartbeat(str(deployment.id), beat).shadow_version_id is None
    deployment.set_shadow_model(shadow)
    assert client.heartbeat(str(deployment.id), beat).shadow_version_id == str(shadow.id)


def test_an_answer_that_breaks_off_is_told_as_the_platform_s(world):
    client, deployment, _, path, *_ = world
    found = Detections(np.zeros(0, int), np.zeros(0, np.float32), np.zeros((0, 4), np.float32))
    predicted = PredictedImage("a.png", ImageSize(48, 32), found, 0.01, str(uuid.uuid4()))
    with chaos_before(client.host) as chaos:
        chaos.troubles.append("truncated")
        there = KernelClient.connect(chaos.host, client.token)
        with pytest.raises(PlatformUnreachableError, match="answer broke off in the middle"):
            there.monitor(
                str(deployment.id), Record(predicted, path.read_bytes(), "image/png", time.time())
            )
