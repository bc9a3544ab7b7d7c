"""Predicting on images that the platform has already."""

import httpx
import pytest

from tests.serving import fakes

CONNECTOR = "33333333-3333-4333-8333-333333333333"


def ask(kernel, name="night/a.jpg", route="predict", **said):
    jwt = kernel.login().json()["jwt"]
    return httpx.post(
        f"{kernel.program.address}/api/v2/deployments/{fakes.DEPLOYMENT}/{route}",
        headers={"Authorization": f"Bearer {jwt}"},
        json={"cloud_image": {"connector_id": CONNECTOR, "object_name": name}, **said},
        timeout=20,
    )


def test_a_stored_image_is_predicted_on_and_recorded_where_it_is(serving):
    serving.platform.images["night/a.jpg"] = fakes.picture()
    said = ask(serving, tags=["x"], monitor=True, postprocess=False, metadata={"k": 1})
    assert (said.status_code, said.json()["filename"]) == (200, "a.jpg")
    assert said.json()["detection_classes"] == [0, 1]
    serving.service.flush(5)
    [(_, _, predicted, extra)] = serving.platform.recorded
    assert predicted.prediction_id == said.json()["id"]
    assert (extra["stored_as"], extra["tags"]) == ("night/a.jpg", ("x",))
    assert extra["metadata"] == {"k": 1}


def test_a_stored_image_that_cannot_be_recorded_as_it_is_is_stored_anew_as_png(serving):
    serving.platform.images["a.webp"] = fakes.picture(kind="WEBP")
    assert ask(serving, "a.webp").status_code == 200
    serving.service.flush(5)
    [(_, image, _, extra)] = serving.platform.recorded
    assert (extra["stored_as"], image[:4]) == (None, b"\x89PNG")


def test_an_image_that_is_not_stored_is_not_found(serving):
    said = ask(serving, "none.jpg")
    assert (said.status_code, said.json()["message"]) == (404, "Nothing is stored as none.jpg.")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"cloud_image": None}, "cloud_image.connector_id is None."),
        ({"cloud_image": {"connector_id": CONNECTOR, "object_name": 7}}, "object_name is 7."),
        ({"cloud_image": {"connector_id": CONNECTOR, "object_name": "a\0b"}}, "object_name is"),
        ({"tags": "night"}, "tags is 'night', no list."),
        ({"monitor": "perhaps"}, "monitor is 'perhaps'."),
    ],
)
def test_a_request_that_names_no_image_is_refused(serving, body, told):
    serving.platform.images["night/a.jpg"] = fakes.picture()
    said = ask(serving, **body)
    assert said.status_code == 400
    assert told in said.json()["message"]


def test_a_token_of_another_deployment_gets_no_stored_image(serving):
    jwt = serving.login().json()["jwt"]
    other = f"/api/v2/deployments/{CONNECTOR}/predict"
    said = httpx.post(
        serving.program.address + other, headers={"Authorization": f"Bearer {jwt}"}, json={}
    )
    assert said.status_code == 401
