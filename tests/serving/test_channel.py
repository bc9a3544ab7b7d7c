import json
import socket
import struct
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picsellia_jupyter.domain.errors import InvalidImageError, ServingError
from picsellia_jupyter.domain.predictions import Classification, Detections, ImageSize
from picsellia_jupyter.serving import messages
from picsellia_jupyter.serving.channel import Channel, ChannelClosedError, Message


@pytest.fixture
def ends():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Channel(ours), theirs


@given(
    st.dictionaries(st.text(), st.text()),
    st.binary(max_size=2000),
    st.integers(0, 2**64 - 1),
)
def test_a_message_arrives_as_it_was_sent(header, body, number):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(ours).send(Message(header, body, number))
        assert Channel(theirs).receive() == Message(header, body, number)


def test_a_path_whose_bytes_are_no_text_arrives(ends):
    channel, theirs = ends
    Channel(theirs).send(Message({"model": "m\udcff.onnx"}))
    assert channel.receive().header == {"model": "m\udcff.onnx"}


def test_a_message_larger_than_the_socket_takes_arrives_whole(ends):
    channel, theirs = ends
    body = np.random.default_rng(0).bytes(8_000_000)
    sender = threading.Thread(target=Channel(theirs).send, args=(Message({}, body),))
    sender.start()
    assert channel.receive().body == body
    sender.join()


def test_an_offer_sends_what_fits_and_gives_the_rest_back(ends):
    channel, theirs = ends
    body = np.random.default_rng(0).bytes(8_000_000)
    rest = channel.offer(Message({}, body, 7))
    assert 0 < sum(map(len, rest)) < len(body)
    sender = threading.Thread(target=channel.send_rest, args=(rest,))
    sender.start()
    assert Channel(theirs).receive() == Message({}, body, 7)
    sender.join()


def test_many_messages_at_once_arrive_one_by_one(ends):
    channel, theirs = ends
    sent = [Message({"n": n}, b"x" * n, n) for n in range(200)]
    channel.send(*sent)
    other = Channel(theirs)
    assert [other.receive() for _ in sent] == sent


def test_a_closed_channel_is_told(ends):
    channel, theirs = ends
    theirs.close()
    with pytest.raises(ChannelClosedError):
        channel.receive()


def test_a_message_that_breaks_off_is_told(ends):
    channel, theirs = ends
    theirs.sendall(struct.pack("!QII", 1, 100, 0) + b"{")
    theirs.close()
    with pytest.raises(ChannelClosedError):
        channel.receive()


@pytest.mark.parametrize("text", [b"[]", b"no json", b"\xff", b"[" * 100_000])
def test_a_header_that_is_no_object_is_refused(ends, text):
    channel, theirs = ends
    sender = threading.Thread(
        target=theirs.sendall, args=(struct.pack("!QII", 1, len(text), 0) + text,)
    )
    sender.start()
    with pytest.raises(ServingError, match="header is"):
        channel.receive()
    sender.join()


def test_a_length_beyond_reason_is_refused_before_it_is_read(ends):
    channel, theirs = ends
    theirs.sendall(struct.pack("!QII", 1, 2**31, 0))
    with pytest.raises(ServingError, match="is too long"):
        channel.receive()


# Replies of a worker -----------------------------------------------------------------------


def through(message):
    """A message as it arrives."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        Channel(ours).send(message)
        return Channel(theirs).receive()


def reply(found):
    return messages.WorkerReply(found, ImageSize(30, 20), 0.25, "image/png", b"png")


def test_a_reply_arrives_with_full_precision():
    found = Detections(
        np.array([3]), np.array([0.1], np.float32), np.array([[0.1, 0.2, 7.3, 8.4]], np.float32)
    )
    again = messages.reply_of(through(messages.reply_message(reply(found))))
    assert (again.found.boxes_xyxy == found.boxes_xyxy).all()
    assert (again.found.scores == found.scores).all()
    assert (again.size, again.latency_s, again.recorded) == (ImageSize(30, 20), 0.25, b"png")


def test_an_empty_reply_arrives():
    empty = Detections(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros((0, 4), np.float32))
    assert len(messages.reply_of(through(messages.reply_message(reply(empty)))).found) == 0


@pytest.mark.parametrize(
    "change",
    [
        {"type": "MASK"},
        {"classes": "abc"},
        {"classes": [2**80]},
        {"classes": [-1]},
        {"scores": [float("nan")]},
        {"scores": [0.5, 0.5]},
        {"scores": None},
        {"width": 0},
        {"width": "30"},
        {"height": 1.5},
        {"latency": []},
        {"content_type": "text/html"},
        {"content_type": ["image/png"]},
        {"timing": None},
        {"timing": [1.0, 1.0]},
        {"timing": [-1.0, 0.5, 1]},
        {"timing": [float("nan"), 0.5, 1]},
        {"timing": ["1", 0.5, 1]},
        {"timing": [1.0, 0.5, 0]},
        {"timing": [1.0, 0.5, 2**40]},
    ],
)
def test_a_reply_that_makes_no_sense_is_refused(change):
    found = Classification(np.array([1]), np.array([0.5], np.float32))
    header = through(messages.reply_message(reply(found))).header
    said = {**header, **change, "found": {**header["found"], **change}}
    with pytest.raises(ServingError, match="answer cannot be read"):
        messages.reply_of(Message(json.loads(json.dumps(said))))


def test_tensors_arrive_as_they_were_sent():
    sent = {"a": np.arange(6, dtype=np.int16).reshape(2, 3), "b": np.zeros((0, 4), np.float16)}
    again = messages.tensors_of(messages.tensors_message(sent))
    assert list(again) == ["a", "b"]
    assert all((again[name] == array).all() for name, array in sent.items())
    assert [array.dtype for array in again.values()] == [np.int16, np.float16]


@pytest.mark.parametrize(
    "change", [{"shape": [-1]}, {"shape": [4]}, {"shape": [1]}, {"dtype": "object"}, {"shape": "x"}]
)
def test_tensors_that_do_not_fit_their_bytes_are_refused(change):
    told = {"name": "a", "dtype": "float32", "shape": [2], **change}
    with pytest.raises(ServingError, match="answer cannot be read"):
        messages.tensors_of(Message({"tensors": [told]}, b"\0" * 8))


def test_an_error_about_the_image_crosses_as_what_it_is():
    with pytest.raises(InvalidImageError, match="No image"):
        messages.raise_error(messages.error_message(InvalidImageError("No image.", "Send one.")))


@pytest.mark.parametrize("error", ["text", {"error": "AuthenticationError", "message": "x"}, []])
def test_a_worker_cannot_raise_any_error_it_likes(error):
    with pytest.raises(ServingError):
        messages.raise_error(Message({"error": error}))
