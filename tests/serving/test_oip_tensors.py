"""The codec of the Open Inference Protocol, with `tritonclient` as the other side."""

import gzip
import json
import socket
import time
import zlib

import httpx
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tritonclient.http import InferInput, InferRequestedOutput, InferResult
from tritonclient.http._utils import _get_inference_request
from tritonclient.utils import np_to_triton_dtype

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving import oip_body, oip_tensors

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, max_side=4)
NUMBERS = st.sampled_from([np.dtype(name) for name in oip_tensors.DATATYPES]).flatmap(
    lambda dtype: hnp.arrays(
        dtype, SHAPES, elements={"allow_nan": False, "allow_infinity": False}
        if dtype.kind == "f" else None,
    )
)  # fmt: skip
TEXTS = SHAPES.flatmap(
    lambda shape: hnp.arrays(object, shape, elements=st.text(max_size=9).map(str.encode))
)
BLOBS = SHAPES.flatmap(lambda shape: hnp.arrays(object, shape, elements=st.binary(max_size=9)))


def sent(tensors, *, binary, outputs=()):
    """The body that tritonclient makes of them, and how much of it is JSON."""
    inputs = []
    for name, array in tensors.items():
        one = InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        inputs.append(one.set_data_from_numpy(array, binary_data=binary))
    return _get_inference_request(inputs, "7", outputs, 0, False, False, 0, None, {"mine": 1})


def received(body, json_size):
    return InferResult.from_response_body(body, header_length=json_size)


def check_round_trip(array, *, binary):
    body, json_size = sent({"a": array, "b": array}, binary=binary)
    request = oip_tensors.read_request(body, json_size)
    assert (request.id, request.parameters["mine"]) == ("7", 1)
    for name in "ab":
        np.testing.assert_array_equal(request.inputs[name], array, strict=True)
    wanted = [InferRequestedOutput(name, binary_data=binary) for name in "ab"]
    asking = oip_tensors.read_request(*sent({"a": array}, binary=binary, outputs=wanted))
    result = received(*oip_tensors.write_reply({"model_name": "m"}, request.inputs, asking))
    for name in "ab":
        got = result.as_numpy(name)
        if got.dtype == object and not binary:  # tritonclient leaves what JSON has as `str`
            got = oip_tensors.texts(got.ravel().tolist()).reshape(got.shape)
        np.testing.assert_array_equal(got, array, strict=True)
    assert result.get_response()["model_name"] == "m"


@pytest.mark.parametrize("binary", [True, False])
@given(array=NUMBERS)
def test_numbers_of_every_datatype_come_through_unchanged(binary, array):
    check_round_trip(array, binary=binary)


@given(array=TEXTS)
def test_texts_come_through_json_unchanged(array):
    check_round_trip(array, binary=False)


@given(array=BLOBS)
def test_any_bytes_come_through_the_binary_form_unchanged(array):
    check_round_trip(array, binary=True)


@given(array=hnp.arrays(np.float32, 3))
def test_nan_and_infinity_come_through_the_binary_form_and_are_refused_in_json(array):
    check_round_trip(array, binary=True)
    asking = oip_tensors.InferRequest({}, {}, False, None, {})
    if np.isfinite(array).all():
        return
    with pytest.raises(InvalidInputError, match=r"NaN or infinity.*Use binary data"):
        oip_tensors.write_reply({}, {"x": array}, asking)


def test_arrays_of_another_byte_order_are_written_little_endian():
    array = np.array([1, 2], ">f4")
    asking = oip_tensors.InferRequest({}, {}, True, None, {})
    got = received(*oip_tensors.write_reply({}, {"x": array}, asking)).as_numpy("x")
    assert got.tolist() == [1, 2]


def test_nested_lists_are_read_row_by_row():
    body = {
        "inputs": [{"name": "x", "shape": [2, 2], "datatype": "INT8", "data": [[1, 2], [3, 4]]}]
    }
    request = oip_tensors.read_request(json.dumps(body).encode(), None)
    assert request.inputs["x"].tolist() == [[1, 2], [3, 4]]


# What is refused ---------------------------------------------------------------------------

FINE = {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]}
BINARY = {"name": "x", "shape": [2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}


def bodies():
    """Bodies that are no request, how much of them is JSON, and what is told."""
    for change, told in [
        ({"shape": [3]}, "has 2 elements, not the 3 of [3]"),
        ({"shape": [2, -1]}, "The shape of the input 'x' is [2, -1]"),
        ({"shape": [0]}, "The shape of the input 'x' is [0]"),
        ({"shape": None}, "The shape of the input 'x' is None"),
        ({"shape": [1] * 33}, "The shape of the input 'x' is"),
        ({"shape": [2.0]}, "The shape of the input 'x' is [2.0]"),
        ({"datatype": "BF16"}, "is 'BF16'. Known: BOOL, UINT8"),
        ({"datatype": ["FP32"]}, "is ['FP32']. Known"),
        ({"datatype": "INT8", "data": [1, 300]}, "does not fit INT8"),
        ({"datatype": "UINT8", "data": [1, -1]}, "does not fit UINT8"),
        ({"datatype": "INT64", "data": [1, 2**63]}, "does not fit INT64"),
        ({"datatype": "FP32", "data": [1, 10**400]}, "does not fit FP32"),
        ({"datatype": "INT8", "data": [1, 2.5]}, "hold float, which is no INT8"),
        ({"datatype": "BOOL", "data": [1, 0]}, "hold int, which is no BOOL"),
        ({"data": [True, "a"]}, "hold bool, str, which is no FP32"),
        ({"data": [[1], 2]}, "hold list, which is no FP32"),
        ({"datatype": "BYTES", "data": ["a", 1]}, "hold int, which is no BYTES"),
        ({"datatype": "BYTES", "data": ["a", "\ud800"]}, "A text of 'x' is no Unicode"),
        ({"data": "AAAA"}, "The data of the input 'x' are 'AAAA'"),
        ({"data": None}, "The data of the input 'x' are None"),
        ({"name": 1}, "The name of a tensor is 1"),
        ({"parameters": []}, "parameters is []"),
        ({"parameters": {"binary_data_size": "8"}}, "binary_data_size is '8'"),
        ({"parameters": {"binary_data_size": 8}}, "takes 8 bytes; 0 are left"),
        ({"parameters": {"shared_memory_region": "r"}}, "There is no shared memory here"),
    ]:  # fmt: skip
        yield json.dumps({"inputs": [{**FINE, **change}]}).encode(), None, told
    for whole, told in [
        ([], "does not begin with a JSON object"),
        ({}, "inputs is None"),
        ({"inputs": [1]}, "inputs is [1]"),
        ({"inputs": [FINE, FINE]}, "The input 'x' comes twice"),
        ({"inputs": [FINE], "id": 7}, "The id is 7"),
        ({"inputs": [FINE], "outputs": {}}, "outputs is {}"),
        ({"inputs": [FINE], "outputs": [{"name": None}]}, "The name of a tensor is None"),
        ({"inputs": [FINE], "parameters": {"binary_data_output": 1}}, "binary_data_output is 1"),
        ({"inputs": [FINE], "outputs": [
            {"name": "y", "parameters": {"shared_memory_region": "r"}}]},
         "There is no shared_memory_region here"),
    ]:  # fmt: skip
        yield json.dumps(whole).encode(), None, told
    yield b"", None, "does not begin with a JSON object"
    yield b"[" * 100_000, None, "does not begin with a JSON object"
    yield b'{"inputs": [' + b"1" * 5000 + b"]}", None, "does not begin with a JSON object"
    yield b"{}", 3, "is 3, but the body has 2 bytes"
    yield b"{}", -1, "is -1, but the body has 2 bytes"
    yield bytes(oip_tensors.MAX_JSON + 1), None, "holds 16 MiB of JSON"
    head = json.dumps({"inputs": [BINARY]}).encode()
    yield head + bytes(7), len(head), "takes 8 bytes; 7 are left"
    yield head + bytes(9), len(head), "1 bytes after the JSON belong to no input"
    head = json.dumps({"inputs": [{**BINARY, "shape": [3]}]}).encode()
    yield head + bytes(8), len(head), "has 8 bytes, not 12"
    head = json.dumps({"inputs": [{**BINARY, "datatype": "BYTES"}]}).encode()
    yield head + b"\1\0\0\0a\1\0\0", len(head), "end within an element"
    yield head + b"\7\0\0\0abcd", len(head), "end within an element"


@pytest.mark.parametrize(
    ("body", "json_size", "told"), [*bodies()], ids=lambda value: str(value)[:50]
)
def test_what_is_no_request_is_told_and_what_to_send(body, json_size, told):
    with pytest.raises(InvalidInputError) as refused:
        oip_tensors.read_request(body, json_size)
    assert told in refused.value.fact + " " + refused.value.remedy
    assert refused.value.remedy


def test_outputs_that_json_cannot_hold_are_refused():
    asking = oip_tensors.InferRequest({}, {}, False, None, {})
    with pytest.raises(InvalidInputError, match=r"is no text. Use binary data"):
        oip_tensors.write_reply({}, {"x": oip_tensors.texts([b"\xff"])}, asking)
    with pytest.raises(InvalidInputError, match=r"has 2000001 elements. Use binary data"):
        oip_tensors.write_reply({}, {"x": np.zeros(2_000_001, bool)}, asking)


# Over HTTP ---------------------------------------------------------------------------------


@pytest.fixture
def ask(serving):
    if not hasattr(serving, "jwt"):
        serving.jwt = serving.login().json()["jwt"]
    with httpx.Client(
        base_url=serving.program.address,
        headers={"Authorization": f"Bearer {serving.jwt}"},
        timeout=30,
    ) as client:
        yield lambda body, model="photos", **headers: client.post(
            f"/v2/models/{model}/infer",
            content=body,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )


WORDS = st.sampled_from(
    ["inputs", "outputs", "name", "image", "shape", "datatype", "data", "parameters", "BYTES", "id"]
) | st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)
NEARLY = st.fixed_dictionaries(
    {"inputs": st.lists(st.fixed_dictionaries(
        {"name": st.sampled_from(["image", "images"]) | JSON, "shape": st.just([1]) | JSON,
         "datatype": st.sampled_from(["BYTES", "FP32"]) | JSON},
        optional={"data": st.just(["x"]) | JSON, "parameters": JSON}), max_size=2)},
    optional={"id": JSON, "outputs": JSON, "parameters": JSON},
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    model=st.sampled_from(["photos", "tensors"]),
    value=NEARLY | JSON,
    tail=st.binary(max_size=20),
    size=st.none() | st.integers(-2, 200) | st.just("whole") | st.text("0123456789-x", max_size=4),
)
def test_a_malformed_request_is_the_clients_mistake(ask, model, value, tail, size):
    text = json.dumps(value).encode()
    size = len(text) if size == "whole" else size
    headers = {} if size is None else {oip_body.JSON_SIZE: str(size)}
    reply = ask(text + tail, model, **headers)
    assert 400 <= reply.status_code < 500
    assert list(reply.json()) == ["error"]


def test_a_body_is_unpacked_up_to_a_bound(ask, serving):
    bomb = gzip.compress(bytes(oip_body.MAX_BODY + 1))
    reply = ask(bomb, Content_Encoding="gzip")
    assert (reply.status_code, reply.json()) == (
        413, {"error": "The body has more than 64 MiB. Send fewer tensors in a request."},
    )  # fmt: skip
    assert serving.predict().status_code == 200


def test_a_body_over_the_limit_is_refused(ask):
    assert ask(bytes(oip_body.MAX_BODY + 1)).status_code == 413


@pytest.mark.parametrize(
    ("body", "encoding", "told"),
    [
        (b"{}", "br", "The content encoding is 'br'. Send gzip, deflate, or none."),
        (b"{}", "gzip", "The body cannot be unpacked"),
        (gzip.compress(b"{}", mtime=0)[:-3], "gzip", "The packed body is not one whole"),
        (gzip.compress(b"{}", mtime=0) * 2, "gzip", "The packed body is not one whole"),
        (zlib.compress(b"{}"), "deflate", "inputs is None"),
        (b"{}", "identity", "inputs is None"),
    ],
)
def test_a_body_that_cannot_be_unpacked_is_told(ask, body, encoding, told):
    reply = ask(body, Content_Encoding=encoding)
    assert reply.status_code == 400
    assert told in reply.json()["error"]


def test_a_length_that_is_no_number_is_told(ask):
    reply = ask(b"{}", Inference_Header_Content_Length="a few")
    assert reply.status_code == 400
    assert "is 'a few'. Send how many bytes" in reply.json()["error"]


def test_a_mistake_of_ours_is_told_without_its_details(own, monkeypatch):
    async def fail(_given):
        raise ValueError("/secret/path")

    monkeypatch.setattr(own.service, "infer", fail)
    reply = httpx.post(
        f"{own.program.address}/v2/models/tensors/infer",
        headers={"Authorization": f"Bearer {own.login().json()['jwt']}"},
        json={"inputs": [{"name": "images", "shape": [1, 1, 48, 64], "datatype": "FP32",
                          "data": [0] * (48 * 64)}]},
    )  # fmt: skip
    assert (reply.status_code, reply.json()) == (
        500, {"error": "The serving kernel made a mistake. Its log says which."},
    )  # fmt: skip


def test_a_client_that_leaves_while_it_sends_is_no_mistake_of_ours(serving, ask, caplog):
    ask(b"{}")
    host, port = serving.program.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST /v2/models/photos/infer HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Authorization: Bearer {serving.jwt}\r\nContent-Length: 1000\r\n\r\n".encode()
            + b"{"
        )
        time.sleep(0.1)
    time.sleep(0.2)
    assert ask(b"{}").status_code == 400
    assert "Traceback" not in caplog.text
