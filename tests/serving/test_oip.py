"""The unmodified `tritonclient` against a front with a real worker behind it."""

import asyncio

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.http import aio
from tritonclient.utils import InferenceServerException

from picsellia_jupyter.domain.registry import InferenceType
from tests.serving import fakes, models

DETECTIONS = [[16, 16, 48, 48], [32, 64, 80, 112]]
"""Of `fakes.picture()`: top, left, bottom, right."""


class Triton:
    """A client that sends a new token with every call."""

    def __init__(self, kernel):
        self.jwt = kernel.login().json()["jwt"]
        self._client = triton.InferenceServerClient(kernel.program.address.split("//")[1])

    def __getattr__(self, verb):
        return lambda *args, **how: getattr(self._client, verb)(
            *args, headers={"Authorization": f"Bearer {self.jwt}"}, **how
        )

    def close(self):
        self._client.close()


@pytest.fixture
def connect():
    clients = []

    def begin(kernel):
        clients.append(Triton(kernel))
        return clients[-1]

    yield begin
    for client in clients:
        client.close()


@pytest.fixture
def client(serving, connect):
    return connect(serving)


def given(name, array, *, binary=True, datatype=None):
    """An input of tritonclient; `datatype` lies about it."""
    array = np.asarray(array)
    datatype = datatype or triton._infer_input.np_to_triton_dtype(array.dtype)
    tensor = triton.InferInput(name, list(array.shape), datatype)
    return tensor.set_data_from_numpy(array, binary_data=binary)


def photos(*images):
    return given("image", np.array([*images, None], object)[:-1])


def page():
    return given("images", np.zeros((1, 1, models.HEIGHT, models.WIDTH), np.float32))


def arrays(result):
    return {one["name"]: result.as_numpy(one["name"]) for one in result.get_response()["outputs"]}


# What there is -----------------------------------------------------------------------------


def test_it_is_live_and_ready_and_asks_for_no_token_to_say_so(serving):
    client = triton.InferenceServerClient(serving.program.address.split("//")[1])
    assert client.is_server_live()
    assert client.is_server_ready()
    client.close()


def test_it_is_not_ready_before_it_serves_a_deployment(start):
    kernel = start()
    kernel.prepared()
    client = triton.InferenceServerClient(kernel.program.address.split("//")[1])
    assert client.is_server_live()
    assert not client.is_server_ready()
    client.close()


def test_the_server_says_which_extensions_it_speaks(client):
    said = client.get_server_metadata()
    assert said["name"] == "picsellia_jupyter"
    assert "binary_tensor_data" in said["extensions"]


def test_the_models_are_listed_by_name(client):
    said = client.get_model_repository_index()
    assert [(one["name"], one["version"], one["state"]) for one in said] == [
        ("tiny", "0", "READY"), ("tensors", "0", "READY"), ("photos", "0", "READY"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["tiny", "tensors", "photos"])
def test_every_model_is_ready_with_and_without_its_version(client, name):
    assert client.is_model_ready(name)
    assert client.is_model_ready(name, "0")
    assert not client.is_model_ready(name, "1")


def test_the_models_own_tensors_are_described_as_its_file_has_them(client):
    said = client.get_model_metadata("tiny")
    assert said == client.get_model_metadata("tiny", "0")
    assert said.pop("platform").startswith("onnxruntime ")
    assert said == {
        "name": "tiny",
        "versions": ["0"],
        "inputs": [{"name": "images", "datatype": "FP32", "shape": [1, 1, 48, 64]}],
        "outputs": [
            {"name": "boxes", "datatype": "FP32", "shape": [1, 3, 4]},
            {"name": "scores", "datatype": "FP32", "shape": [1, 3, 2]},
        ],
    }


def test_photos_are_described_by_what_a_detector_finds(client):
    said = client.get_model_metadata("photos")
    told = {one["name"]: (one["datatype"], one["shape"]) for one in said["outputs"]}
    assert told == {
        "image_index": ("INT64", [-1]),
        "classes": ("INT64", [-1]),
        "labels": ("BYTES", [-1]),
        "scores": ("FP32", [-1]),
        "boxes": ("FP32", [-1, 4]),
        "sizes": ("INT64", [-1, 2]),
        "prediction_ids": ("BYTES", [-1]),
        "errors": ("BYTES", [-1]),
    }


def test_a_configuration_says_which_inputs_may_be_left_out(client):
    said = client.get_model_config("photos")
    assert said == client.get_model_config("photos", "0")
    assert said["max_batch_size"] == 0
    assert said["input"] == [
        {"name": "image", "data_type": "TYPE_STRING", "dims": [-1], "optional": False},
        {"name": "name", "data_type": "TYPE_STRING", "dims": [-1], "optional": True},
    ]


def test_statistics_count_what_went_well_and_what_did_not(own, connect):
    client = connect(own)
    client.infer("tensors", [page()])
    with pytest.raises(InferenceServerException):
        client.infer("tensors", [])
    [said] = client.get_inference_statistics("tensors")["model_stats"]
    assert (said["name"], said["version"], said["inference_count"]) == ("tensors", "0", 1)
    stats = said["inference_stats"]
    assert (stats["success"]["count"], stats["fail"]["count"]) == (1, 1)
    assert stats["success"]["ns"] > 0
    assert said["last_inference"] > 1e12
    assert len(client.get_inference_statistics()["model_stats"]) == 3


# The model's own tensors -------------------------------------------------------------------


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [None, True, False])
def test_a_models_own_outputs_come_in_either_form(client, binary_in, binary_out):
    page = np.zeros((1, 1, models.HEIGHT, models.WIDTH), np.float32)
    outputs = None
    if binary_out is not None:
        outputs = [triton.InferRequestedOutput(n, binary_out) for n in ("scores", "boxes")]
    result = client.infer(
        "tiny", [given("images", page, binary=binary_in)],
        model_version="0", outputs=outputs, request_id="no. 7",
    )  # fmt: skip
    said = result.get_response()
    assert (said["model_name"], said["model_version"], said["id"]) == ("tiny", "0", "no. 7")
    got = arrays(result)
    assert list(got) == (["scores", "boxes"] if outputs else ["boxes", "scores"])
    np.testing.assert_array_equal(got["boxes"], models.BOXES[None], strict=True)
    np.testing.assert_array_equal(got["scores"], models.SCORES[None], strict=True)


def test_one_output_can_be_asked_for_alone(client):
    outputs = [triton.InferRequestedOutput("scores")]
    assert list(arrays(client.infer("tensors", [page()], outputs=outputs))) == ["scores"]


@pytest.mark.parametrize("packed", ["gzip", "deflate"])
def test_a_packed_request_is_unpacked(client, packed):
    result = client.infer("tiny", [page()], request_compression_algorithm=packed)
    assert arrays(result)["boxes"].shape == (1, 3, 4)


def test_a_packed_reply_may_be_asked_for(client):
    result = client.infer("tiny", [page()], response_compression_algorithm="gzip")
    assert arrays(result)["boxes"].shape == (1, 3, 4)


def test_several_calls_may_be_under_way(client):
    calls = [client.async_infer("tiny", [page()]) for _ in range(3)]
    assert [arrays(call.get_result())["scores"].shape for call in calls] == [(1, 3, 2)] * 3


def test_what_went_through_as_tensors_is_not_recorded(serving, client):
    client.infer("tiny", [page()])
    serving.service.flush(5)
    assert serving.platform.recorded == []


def test_a_program_that_does_not_tell_its_tensors_takes_them_in_its_own_order(start, connect):
    client = connect(start(models.torchscript_detector).attach())
    said = client.get_model_metadata("tensors")
    page = np.zeros((1, 1, models.HEIGHT, models.WIDTH), np.float32)
    got = arrays(client.infer("tensors", [given("anything", page)]))
    np.testing.assert_array_equal(got["output_0"], models.BOXES[None], strict=True)
    if not said["inputs"]:
        with pytest.raises(InferenceServerException, match=r"is BYTES. This model takes numbers."):
            client.infer("tensors", [given("anything", np.array([b"x"], object))])
        with pytest.raises(InferenceServerException, match=r"There are no inputs. Send those"):
            client.infer("tensors", [])


def test_the_clients_asynchronous_form_works_too(serving):
    headers = {"Authorization": f"Bearer {serving.login().json()['jwt']}"}

    async def ask():
        address = serving.program.address.split("//")[1]
        async with aio.InferenceServerClient(address) as client:
            assert await client.is_server_ready()
            return await client.infer("tiny", [page()], headers=dict(headers))

    assert arrays(asyncio.run(ask()))["scores"].shape == (1, 3, 2)


# Photos ------------------------------------------------------------------------------------


def test_a_jpeg_is_answered_with_its_objects_and_recorded(serving, client):
    got = arrays(client.infer("photos", [photos(fakes.picture())]))
    assert got["boxes"].tolist() == [[16, 16, 48, 48], [64, 32, 112, 80]]
    assert got["boxes"].dtype == np.float32
    assert got["classes"].tolist() == [0, 1]
    assert got["labels"].tolist() == [b"a", b"b"]
    assert got["scores"] == pytest.approx([0.9, 0.4])
    assert got["image_index"].tolist() == [0, 0]
    assert got["sizes"].tolist() == [[128, 96]]
    assert got["errors"].tolist() == [b""]
    serving.service.flush(5)
    [(deployment, image, predicted, _)] = serving.platform.recorded
    assert (deployment, image) == (fakes.DEPLOYMENT, fakes.picture())
    assert predicted.prediction_id.encode() == got["prediction_ids"][0]
    assert predicted.source == "image"


def test_without_monitoring_a_photo_is_not_recorded(serving, client):
    told = client.infer("photos", [photos(fakes.picture())], parameters={"monitor": False})
    assert arrays(told)["prediction_ids"].tolist() == [b""]
    serving.service.flush(5)
    assert serving.platform.recorded == []


def test_photos_may_have_names_and_a_source(serving, client):
    names = given("name", np.array([b"left.jpg", "rück.jpg".encode()], object))
    image = fakes.picture()
    client.infer("photos", [photos(image, image), names], parameters={"source": "line 4"})
    serving.service.flush(5)
    told = {(p.source, extra["source"]) for _, _, p, extra in serving.platform.recorded}
    assert told == {("left.jpg", "line 4"), ("rück.jpg", "line 4")}


def test_one_bad_photo_among_several_fails_alone(serving, client):
    got = arrays(client.infer("photos", [photos(fakes.picture(), b"no image", fakes.picture())]))
    assert got["image_index"].tolist() == [0, 0, 2, 2]
    assert got["sizes"].tolist() == [[128, 96], [0, 0], [128, 96]]
    fine, wrong, fine_too = got["errors"].tolist()
    assert (fine, fine_too) == (b"", b"")
    assert wrong.startswith(b"'image-1' cannot be read as an image (unknown format).")
    serving.service.flush(5)
    assert len(serving.platform.recorded) == 2


def test_a_classifiers_photos_have_no_boxes(start, connect):
    kernel = start(
        models.onnx_classifier, models.CLASSIFIER,
        kind=InferenceType.CLASSIFICATION, threshold=None,
    ).attach()  # fmt: skip
    got = arrays(connect(kernel).infer("photos", [photos(fakes.picture())]))
    assert "boxes" not in got
    assert got["classes"].tolist() == [1, 2]


# What is refused ---------------------------------------------------------------------------


def wrong(images):
    return [given("images", images)]


@pytest.mark.parametrize(
    ("model", "inputs", "status", "told"),
    [
        ("tinny", [page()], "404", "There is no model named 'tinny'. Did you mean 'tiny'?"),
        ("tiny", wrong(np.zeros((1, 3, 4), "f4")), "400", "has the shape [1, 3, 4]. Send FP32 of"),
        ("tiny", wrong(np.zeros((1, 1, 48, 64))), "400", "The input 'images' is FP64. Send FP32"),
        ("tiny", [], "400", "The input 'images' is missing. Send FP32 of shape [1, 1, 48, 64]"),
        ("tiny", [given("imags", np.zeros(1))], "404", "Did you mean 'images'?"),
        ("tiny", wrong(np.array([b"x"], object)), "400", "The input 'images' is BYTES."),
        ("photos", [photos(b"no image")], "400", "'image' cannot be read as an image"),
        ("photos", [photos(*[b""] * 65)], "400", "There are 65 photos. Send at most 64."),
        ("photos", [photos(b"0" * (33 << 20))], "413", "A photo has 33 MiB. Send at most 32 MiB"),
        ("photos", [given("image", np.zeros(1, "u1"))], "400", "is UINT8. Send BYTES of shape"),
        ("photos", [photos(b"x"), given("name", np.array([b"a", b"b"], object))], "400",
         "There are 2 names. Send 1, or none."),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(client, model, inputs, status, told):
    with pytest.raises(InferenceServerException) as refused:
        client.infer(model, inputs)
    assert refused.value.status() == status
    assert told in refused.value.message()


def test_a_version_and_an_output_that_are_not_there_are_named(client):
    with pytest.raises(InferenceServerException, match=r"version of tiny named '3'.*Known: '0'"):
        client.infer("tiny", [page()], model_version="3")
    with pytest.raises(InferenceServerException, match=r"no output named 'box'.*'boxes'"):
        client.infer("tiny", [page()], outputs=[triton.InferRequestedOutput("box")])


def test_what_is_not_offered_is_told(client):
    with pytest.raises(InferenceServerException, match="There is no classification here"):
        client.infer("tiny", [page()], outputs=[triton.InferRequestedOutput("boxes", True, 2)])
    with pytest.raises(InferenceServerException, match=r"\[404\]"):
        client.get_system_shared_memory_status()
    with pytest.raises(InferenceServerException, match=r"\[404\]|\[405\]"):
        client.load_model("tiny")


def test_a_parameter_of_the_wrong_kind_is_named(client):
    with pytest.raises(InferenceServerException, match=r"monitor is 'no'. Send true or false"):
        client.infer("photos", [photos(b"x")], parameters={"monitor": "no"})


def test_without_a_token_the_client_is_told_where_to_log_in(serving):
    client = triton.InferenceServerClient(serving.program.address.split("//")[1])
    with pytest.raises(InferenceServerException, match="Log in at /api/login") as refused:
        client.get_server_metadata()
    assert refused.value.status() == "401"
    client.close()
