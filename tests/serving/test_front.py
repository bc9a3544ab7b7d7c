"""Predicting through the front over real HTTP, with a real worker process behind it."""

import threading
import time
import uuid

import httpx
import pytest

from picsellia_jupyter.domain.registry import InferenceType
from tests.breaking_off import break_off
from tests.serving import fakes, models


def test_a_prediction_is_answered_with_what_is_over_the_threshold(serving):
    reply = serving.predict()
    assert reply.status_code == 200
    said = reply.json()
    prediction_id, latency = said.pop("id"), said.pop("latency")
    assert str(uuid.UUID(prediction_id)) == prediction_id
    assert 0 < latency < 5
    assert said == {
        "detection_classes": [0],
        "detection_texts": None,
        "detection_scores": [pytest.approx(0.9)],
        "detection_boxes": [[16, 16, 48, 48]],
        "type": "OBJECT_DETECTION",
        "filename": "page.jpg",
        "width": 128,
        "height": 96,
        "monitored": True,
        "threshold": 0.5,
        "model_version_id": fakes.VERSION,
    }


def test_without_postprocessing_everything_is_answered(serving):
    said = serving.predict(postprocess="False").json()
    assert said["detection_boxes"] == [[16, 16, 48, 48], [32, 64, 80, 112]]


def test_a_new_threshold_of_the_platform_holds_soon(serving):
    serving.platform.threshold = 0.3
    fakes.wait_for(lambda: serving.predict(monitor="False").json()["threshold"] == 0.3)
    assert serving.predict().json()["detection_classes"] == [0, 1]


def test_a_prediction_is_recorded_raw_with_its_image(serving):
    said = serving.predict(
        tags=["a", "b"], source="camera", metadata='{"k": 1}', custom_metadata='{"line": 4}'
    ).json()
    assert serving.control.post("/control/flush", json={"timeout_s": 5}).json() == {
        "pending": 0, "failed": 0, "trouble": "",
    }  # fmt: skip
    [(deployment, image, predicted, extra)] = serving.platform.recorded
    assert (deployment, image) == (fakes.DEPLOYMENT, fakes.picture())
    assert predicted.prediction_id == said["id"]
    assert predicted.found.scores.tolist() == pytest.approx([0.9, 0.4])
    assert predicted.latency_s == said["latency"]
    assert extra.pop("at") > 1e9
    assert extra == {
        "content_type": "image/jpeg",
        "stored_as": None,
        "tags": ("a", "b"),
        "source": "camera",
        "metadata": {"k": 1},
        "custom_metadata": {"line": 4},
        "again": False,
    }


def test_without_monitoring_nothing_is_recorded(serving):
    said = serving.predict(monitor="False").json()
    assert (said["id"], said["monitored"]) == (None, False)
    serving.predict()
    serving.service.flush(5)
    assert len(serving.platform.recorded) == 1


def test_a_format_the_platform_does_not_store_is_recorded_as_png(serving):
    assert serving.predict(fakes.picture(kind="WEBP"), "page.webp").status_code == 200
    serving.service.flush(5)
    [(_, image, _, extra)] = serving.platform.recorded
    assert image.startswith(b"\x89PNG")
    assert extra["content_type"] == "image/png"


def test_a_classification_answers_its_best_classes_and_takes_no_threshold(start):
    kernel = start(
        models.onnx_classifier,
        models.CLASSIFIER,
        kind=InferenceType.CLASSIFICATION,
        threshold=None,
    ).attach()
    said = kernel.predict().json()
    assert said["detection_classes"] == [1, 2]
    assert (said["type"], said["threshold"]) == ("CLASSIFICATION", None)


def test_a_bad_image_is_named_and_the_others_go_on(serving):
    serving.predict()
    images = [fakes.picture()] * 4 + [b"no image"] + [fakes.picture()] * 3
    replies = [None] * len(images)

    def send(index):
        replies[index] = serving.predict(images[index], f"{index}.jpg")

    senders = [threading.Thread(target=send, args=(i,)) for i in range(len(images))]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert [reply.status_code for reply in replies] == [200] * 4 + [400] + [200] * 3
    assert replies[4].json() == {
        "message": "'4.jpg' cannot be read as an image (unknown format).",
        "detail": "Send a whole JPEG, PNG, WEBP, BMP or TIFF file.",
        "error": "InvalidImageError",
    }


def test_folders_in_a_file_name_are_dropped(serving):
    assert serving.predict(name="..\\up/../../etc/passwd").json()["filename"] == "passwd"


def test_an_image_over_the_limit_is_refused(serving):
    reply = serving.predict(bytes(34 * 1024 * 1024))
    assert reply.status_code == 413
    assert "32 MiB" in reply.json()["detail"]
    assert serving.predict().status_code == 200


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"monitor": "perhaps"}, "monitor is 'perhaps'"),
        ({"postprocess": "2"}, "postprocess is '2'"),
        ({"metadata": "[1]"}, "metadata is no JSON object"),
        ({"custom_metadata": "{"}, "custom_metadata is no JSON object"),
    ],
)
def test_a_bad_field_is_named(serving, fields, told):
    reply = serving.predict(**fields)
    assert reply.status_code == 400
    assert told in reply.json()["message"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=x", b"--x\r\nnonsense"),
        ("multipart/form-data; boundary=x", b"--x--\r\n"),
    ],
)
def test_a_body_that_is_no_form_with_an_image_is_refused(serving, content_type, body):
    serving.predict()
    reply = httpx.post(
        f"{serving.program.address}/api/deployments/{fakes.DEPLOYMENT}/predict",
        headers={"Authorization": f"Bearer {serving.jwt}", "Content-Type": content_type},
        content=body,
    )
    assert reply.status_code == 400
    assert reply.json()["message"]


def test_answers_come_without_the_delay_of_nagles_algorithm(serving):
    serving.predict()
    with httpx.Client(base_url=serving.program.address) as client:
        spans = []
        for _ in range(15):
            began = time.perf_counter()
            client.get("/health/live")
            spans.append(time.perf_counter() - began)
    assert sorted(spans)[7] < 0.03


def test_a_client_that_goes_away_in_the_middle_of_a_body_is_no_error_of_ours(serving, caplog):
    own, jwt = f"/api/deployments/{fakes.DEPLOYMENT}", serving.login().json()["jwt"]
    caplog.set_level("INFO")

    for path in (f"{own}/predict", f"{own}/predict/batch", f"{own}/flush", "/v2/models/m/infer"):
        break_off(serving.program.address, "POST", path, jwt)

    assert serving.predict().status_code == 200
    assert [one.getMessage() for one in caplog.records if one.levelname != "INFO"] == []
