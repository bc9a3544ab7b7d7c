import base64
import struct
import zlib
from uuid import uuid4

import numpy as np
import pytest

from picsellia_jupyter.domain.predictions import considered
from picsellia_jupyter.domain.registry import InferenceType
from picsellia_jupyter.wire.predictions import from_raw
from picsellia_jupyter.wire.resources import PREDICTION_ID_KEY, log_from_json
from picsellia_jupyter.workflows.metrics import summarize


def stored_blobs(world):
    return sorted(path.name for path in world.home.glob("storage/*/*/*"))


def metrics(world, deployment, **asked):
    path = f"/api/deployment/{deployment['id']}/predictions/stats"
    return world.login(deployment).get(path, params={"service": "metrics", **asked}).json()


def test_a_prediction_is_stored_with_its_image_data_and_asset(world):
    deployment = world.deployment()
    reply = world.monitor(deployment)
    assert reply.status_code == 201
    found = world.user.get(
        f"/api/deployment/{deployment['id']}/predictedassets/find",
        params={"oracle_prediction_id": reply.json()["id"]},
    ).json()
    assert found["data"]["meta"] == {"width": 48, "height": 32}
    assert found["predictions"][0]["rectangles"][0]["x"] == 1
    assert len(stored_blobs(world)) == 1


def test_the_clients_own_id_becomes_the_predictions_and_is_stored_once(world):
    deployment, mine = world.deployment(), str(uuid4())
    first = world.monitor(deployment, custom_metadata={PREDICTION_ID_KEY: mine})
    again = world.monitor(deployment, custom_metadata={PREDICTION_ID_KEY: mine})
    assert first.json()["id"] == mine
    assert again.status_code == 409
    assert "already been processed" in again.json()["message"]
    assert metrics(world, deployment)["count"] == 1
    assert len(stored_blobs(world)) == 1


def test_the_same_id_in_two_deployments_is_two_predictions(world):
    mine = {PREDICTION_ID_KEY: str(uuid4())}
    for name in ("one", "other"):
        assert world.monitor(world.deployment(name), custom_metadata=mine).status_code == 201


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"image": None}, "There is no image"),
        ({"image": "%%%"}, "no base64"),
        ({"image": base64.b64encode(b"<svg>").decode()}, "no readable image"),
        ({"content_type": "IMAGE/JPEG"}, "it is image/png"),
        ({"width": 640}, "48 x 32 pixels, not 640 x 32"),
        ({"width": 0}, "width"),
        ({"filename": "../../etc/passwd"}, "no slashes"),
        ({"filename": "a\x00b"}, "control characters"),
        ({"filename": "gpj.\u202eexe"}, "writing direction"),
        ({"latency": -1}, "latency"),
        ({"timestamp": 1.7e12}, "milliseconds"),
        ({"custom_metadata": {PREDICTION_ID_KEY: "mine"}}, "not a UUID"),
        ({"raw_predictions": {}}, "detection_classes"),
        (
            {
                "raw_predictions": {
                    "detection_classes": [0],
                    "detection_scores": [2.0],
                    "detection_boxes": [[0, 0, 1, 1]],
                }
            },
            "Scores lie in [0, 1]",
        ),
        (
            {"shadow_raw_predictions": {"detection_classes": []}, "shadow_latency": 1},
            "has no shadow model",
        ),
    ],
)
def test_what_cannot_be_right_is_refused_with_the_reason_and_leaves_nothing(world, wrong, said):
    deployment = world.deployment()
    reply = world.monitor(deployment, **wrong)
    assert reply.status_code in (400, 422)
    assert said in reply.json()["message"]
    assert metrics(world, deployment)["count"] == 0
    assert stored_blobs(world) == []


def test_an_image_over_fifty_megapixels_is_refused_before_it_is_decoded(world, encoded):
    small = encoded()
    head = b"IHDR" + struct.pack(">II", 9000, 9000) + small[24:29]
    bomb = base64.b64encode(
        small[:12] + head + struct.pack(">I", zlib.crc32(head)) + small[33:]
    ).decode()
    reply = world.monitor(world.deployment(), image=bomb, width=9000, height=9000)
    assert reply.status_code == 400
    assert "50000000" in reply.json()["message"]


def test_a_photo_taken_sideways_is_stored_with_its_upright_size(world, encoded):
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    photo = base64.b64encode(encoded(48, 32, "JPEG", exif=exif)).decode()
    deployment = world.deployment()
    reply = world.monitor(
        deployment, image=photo, content_type="IMAGE/JPEG", width=32, height=48, filename="p.jpg"
    )
    assert reply.status_code == 201
    asset = world.user.get(f"/api/deployment/{deployment['id']}/predictedassets").json()["items"][0]
    assert asset["data"]["meta"] == {"width": 32, "height": 48}


def test_a_photo_of_several_pictures_as_phones_write_it_is_a_jpeg(world, several_pictures):
    deployment = world.deployment()
    photo = base64.b64encode(several_pictures).decode()
    reply = world.monitor(deployment, image=photo, content_type="IMAGE/JPEG", filename="p.jpg")
    assert reply.status_code == 201, reply.text
    asset = world.user.get(f"/api/deployment/{deployment['id']}/predictedassets").json()["items"][0]
    assert asset["data"]["content_type"] == "image/jpeg"
    assert asset["data"]["meta"] == {"width": 48, "height": 32}


def test_a_name_with_unusual_spaces_is_kept_as_it_is(world):
    deployment = world.deployment()
    name = "Screenshot 2024-05-01 at 9.41.07\u202fPM\u00a0(1).png"
    reply = world.monitor(
        deployment, filename=name, source="caf\u00e9\u00a0!", tags=["l\u2019\u00a0un"]
    )
    assert reply.status_code == 201, reply.text
    asset = world.user.get(f"/api/deployment/{deployment['id']}/predictedassets").json()["items"][0]
    assert asset["data"]["filename"] == name


def test_a_sample_rate_decides_which_images_are_kept_but_counts_all(world):
    deployment = world.deployment()
    world.user.patch(f"/api/deployment/{deployment['id']}", json={"sample_rate": 0.5})
    chances = iter([0.4, 0.6, 0.9])
    world.platform.chance = lambda: next(chances)
    for filename in ("kept.png", "dropped.png"):
        world.monitor(deployment, filename=filename)
    world.monitor(deployment, filename="asked-for.png", sample=True)
    world.monitor(deployment, filename="unwanted.png", sample=False)
    items = world.user.get(f"/api/deployment/{deployment['id']}/predictedassets").json()["items"]
    assert {item["data"]["filename"] for item in items} == {"kept.png", "asked-for.png"}
    assert metrics(world, deployment)["count"] == 4
    assert len(stored_blobs(world)) == 2


def test_deleting_an_asset_keeps_the_statistics_and_deleting_its_data_the_same(world):
    deployment = world.deployment()
    for filename in ("one.png", "other.png"):
        world.monitor(deployment, filename=filename)
    base = f"/api/deployment/{deployment['id']}/predictedassets"
    one, other = world.user.get(base).json()["items"]
    assert world.user.delete(f"/api/predicted/asset/{one['id']}").status_code == 204
    assert world.user.delete(f"/api/data/{other['data']['id']}").status_code == 204
    assert world.user.get(base).json()["items"] == []
    assert metrics(world, deployment)["count"] == 2
    assert len(stored_blobs(world)) == 1


def test_the_log_is_ordered_by_time_and_can_be_cut(world):
    deployment = world.deployment()
    for at in (300.5, 100.5, 200.5):
        world.monitor(deployment, timestamp=at, tags=[f"at {at}"])
    assert metrics(world, deployment)["timestamps"] == [100.5, 200.5, 300.5]
    cut = metrics(world, deployment, from_timestamp=100.5, to_timestamp=299.0)
    assert cut["timestamps"] == [100.5, 200.5]
    assert cut["shape_of"] == [0, 0, 1, 1]
    assert cut["scores"] == [0.9, 0.25] * 2
    assert metrics(world, deployment, tags=["at 300.5"])["timestamps"] == [300.5]
    assert metrics(world, deployment, since=60)["count"] == 0


def test_of_a_classification_only_the_answer_counts(world):
    deployment = world.deployment(kind="CLASSIFICATION")
    raw = {"detection_classes": [1, 0], "detection_scores": [0.5, 0.4]}
    world.monitor(deployment, raw_predictions=raw)
    log = metrics(world, deployment)
    assert (log["classes"], log["scores"]) == ([1], [0.5])


def test_aggregates_name_latencies_and_labels_over_the_threshold(world):
    deployment = world.deployment(min_threshold=0.25)
    for latency in (0.1, 0.2, 0.3):
        world.monitor(deployment, latency=latency, timestamp=latency)
    path, caller = f"/api/deployment/{deployment['id']}/stats", world.login(deployment)
    result = caller.get(path, params={"service": "metrics"}).json()["result"]
    assert result["inferences"] == 3
    assert result["latency_p50"] == pytest.approx(0.2)
    assert result["latency_p95"] == pytest.approx(0.29)
    assert (result["first_at"], result["last_at"]) == (0.1, 0.3)
    labels = caller.get(path, params={"service": "label_distribution"}).json()["result"]
    # The second box scores exactly the threshold, which is not over it.
    assert labels == {"one": 3}


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.7])
def test_every_count_over_a_threshold_is_the_same(world, threshold):
    random = np.random.default_rng(7).random(200)
    edge = np.float32(threshold)
    near = [edge, np.nextafter(edge, np.float32(0)), np.nextafter(edge, np.float32(1))]
    scores = np.concatenate([random, near, [threshold]]).astype(np.float32)
    raw = {
        "detection_classes": [0] * len(scores),
        "detection_scores": [float(score) for score in scores],
        "detection_boxes": [[0, 0, 1, 1]] * len(scores),
    }
    deployment = world.deployment(min_threshold=threshold)
    world.monitor(deployment, raw_predictions=raw, timestamp=5.0)
    counted = world.login(deployment).get(
        f"/api/deployment/{deployment['id']}/stats", params={"service": "label_distribution"}
    ).json()["result"]  # fmt: skip
    found = from_raw(InferenceType.OBJECT_DETECTION, raw)
    drawn = summarize(
        log_from_json(metrics(world, deployment)),
        deployment="lines", labels={0: "zero"}, threshold=threshold, since=None, until=9.0,
    )  # fmt: skip
    expected = int((scores > edge).sum())
    assert counted == {"zero": expected}
    assert len(considered(found, threshold=threshold)) == expected
    assert drawn.shapes == expected


def test_statistics_of_nothing_are_empty_and_unknown_ones_refused(world):
    deployment = world.deployment()
    path, caller = f"/api/deployment/{deployment['id']}/stats", world.login(deployment)
    result = caller.get(path, params={"service": "metrics"}).json()["result"]
    assert result["inferences"] == 0
    assert result["latency_p50"] is None
    drift = caller.get(path, params={"service": "ks_drift"}).json()["result"]
    assert drift["verdict"] == "too few"
    assert caller.get(path, params={"service": "weather"}).status_code == 400


def test_labels_keep_their_ids_when_the_champion_changes(world):
    deployment = world.deployment()
    path = f"/api/deployment/{deployment['id']}"
    before = {item["name"]: item["id"] for item in world.user.get(f"{path}/labels").json()["items"]}
    newer = world.version("newer", labels=("one", "two", "zero"))
    reply = world.user.post(f"{path}/model", json={"model_version_id": newer["id"]})
    assert reply.status_code == 200
    after = {item["name"]: item["id"] for item in world.user.get(f"{path}/labels").json()["items"]}
    assert before.items() <= after.items()
    assert set(after) == {"zero", "one", "two"}
    other = world.version("classes", kind="CLASSIFICATION")
    wrong = world.user.post(f"{path}/model", json={"model_version_id": other["id"]})
    assert wrong.status_code == 400
