"""The messages of a tunnel, both ways."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.wire import tunnel

ids, texts = st.uuids().map(lambda one: one.hex), st.text(max_size=20)
headers = st.lists(st.tuples(texts, texts), max_size=3).map(tuple)
bodies, numbers = st.binary(max_size=50), st.integers(0, 2**40)
id_rows = st.lists(ids, max_size=3).map(tuple)
messages = st.one_of(
    st.just(tunnel.Hello()),
    st.builds(tunnel.Welcome, ids, texts, texts),
    st.builds(
        tunnel.Open, ids, ids, st.floats(0, 999), texts, texts, headers, bodies, st.booleans(),
        id_rows,
    ),
    st.builds(tunnel.Head, ids, ids, st.integers(100, 599), headers, bodies, st.booleans()),
    st.builds(tunnel.Body, ids, ids, numbers, bodies, st.booleans()),
    st.builds(tunnel.Ack, ids, ids, numbers, st.booleans()),
    st.builds(tunnel.Close, ids, id_rows),
    st.builds(tunnel.Refused, ids, ids, st.integers(400, 599), texts, texts),
)  # fmt: skip


@given(messages)
def test_a_message_comes_back_from_its_json_as_it_was(message: tunnel.Message):
    assert tunnel.from_content(json.loads(json.dumps(tunnel.to_content(message)))) == message


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({}, "operation None is not known"),
        (["op"], "operation None is not known"),
        ({"op": ["ack"]}, "operation ['ack'] is not known"),
        ({"op": "dance"}, "operation 'dance' is not known"),
        ({"op": "ack", "id": "a", "incarnation": "b"}, "ack does not fit: KeyError('seq')"),
        ({"op": "ack", "id": "a", "incarnation": "b", "seq": -1}, "-1 is no whole number from 0"),
        ({"op": "ack", "id": "a", "incarnation": "b", "seq": True}, "True is no whole number"),
        ({"op": "ack", "id": 7, "incarnation": "b", "seq": 1}, "7 is no text"),
        (
            {"op": "body", "id": "a", "incarnation": "b", "seq": 1, "body": "?", "more": False},
            "the body is no base64",
        ),
        (
            {"op": "body", "id": "a", "incarnation": "b", "seq": 1, "body": "", "more": 1},
            "1 is neither true nor false",
        ),
    ],
)
def test_what_is_no_message_is_refused_with_its_reason(content: object, why: str):
    with pytest.raises(InvalidInputError) as caught:
        tunnel.from_content(content)

    assert why in caught.value.fact
    assert caught.value.remedy == "Install the same version of picsellia_jupyter on both sides."


def test_a_deadline_is_a_number_of_seconds():
    content = tunnel.to_content(tunnel.Open("a", "b", 1.0, "GET", "/", (), b"", more=False))

    for wrong in (-1, True, "1", float("nan"), float("inf")):
        with pytest.raises(InvalidInputError, match="no number of seconds"):
            tunnel.from_content(content | {"deadline_s": wrong})


def test_only_end_to_end_headers_are_carried():
    given_headers = [
        ("Host", "127.0.0.1:1"),
        ("Connection", "close, X-Mine"),
        ("X-Mine", "of this hop"),
        ("Keep-Alive", "5"),
        ("Transfer-Encoding", "chunked"),
        ("Proxy-Authorization", "Basic x"),
        ("Expect", "100-continue"),
        ("Authorization", "Bearer x"),
        ("Accept", "a"),
        ("accept", "b"),
    ]

    carried = tunnel.end_to_end(given_headers, without=("host",))

    assert carried == (("authorization", "Bearer x"), ("accept", "a"), ("accept", "b"))


@pytest.mark.parametrize("length", [0, 1, tunnel.PIECE_BYTES, tunnel.PIECE_BYTES + 1])
def test_a_body_is_cut_into_pieces_that_pass_the_frame_limit(length: int):
    pieces = list(tunnel.pieces(bytes(length)))

    assert b"".join(pieces) == bytes(length)
    assert max(map(len, pieces)) <= tunnel.PIECE_BYTES
    assert len(pieces) == max(1, -(-length // tunnel.PIECE_BYTES))
