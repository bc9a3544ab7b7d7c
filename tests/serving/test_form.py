"""The quick reader of forms, held against Starlette's own."""

import asyncio

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.serving import form, upload

_NAMES = st.text(st.characters(exclude_characters='"\\\r\n', exclude_categories=["Cs"]), max_size=9)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def sent(data, filename, image):
    request = httpx.Request("POST", "http://h", data=data, files={"media": (filename, image)})
    return request.headers["content-type"].encode(), request.read()


def starlettes(content_type, body):
    scope = {"type": "http", "headers": [(b"content-type", content_type)]}
    return asyncio.run(upload._any_form(scope, body))


def as_value(read):
    return read.filename, read.media, read.texts


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["tags", "monitor", "source", "x"]), st.lists(_TEXTS)),
    _NAMES,
    st.binary(max_size=300),
)
def test_what_clients_send_is_read_as_starlette_reads_it(data, filename, image):
    content_type, body = sent(data, filename, image)
    boundary = form.boundary_of(content_type)
    assert boundary is not None
    quick = form.parse(body, boundary)
    if quick is None:
        return
    assert as_value(quick) == as_value(starlettes(content_type, body))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_broken_form_is_never_read_as_anything_else(data):
    content_type, body = sent({"tags": ["a", "b"], "monitor": "True"}, "a.jpg", b"\xff\xd8pixels")
    cut = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(cut, min(len(body), cut + 30)))
    broken = (
        body[:cut] + data.draw(st.sampled_from([b"", b"\r\n", b"--", b'"', b"\0"])) + body[end:]
    )
    quick = form.parse(broken, form.boundary_of(content_type))
    if quick is None:
        return
    try:
        slow = starlettes(content_type, broken)
    except InvalidInputError:
        pytest.fail(f"Starlette refuses {broken!r}")
    assert as_value(quick) == as_value(slow)


def test_an_ordinary_form_takes_the_quick_way():
    content_type, body = sent({"tags": ["a", "b"], "monitor": "True"}, "ü.jpg", b"\r\n--pixels")
    read = form.parse(body, form.boundary_of(content_type))
    assert read.filename == "ü.jpg"
    assert read.media == b"\r\n--pixels"
    assert (read.all("tags"), read.text("monitor")) == (["a", "b"], "True")


B = b"--x\r\n"
MEDIA = b'Content-Disposition: form-data; name="media"; filename="a"\r\n\r\nM\r\n'
TEXT = b'Content-Disposition: form-data; name="t"\r\n\r\nv\r\n'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"preamble\r\n" + B + MEDIA + b"--x--",
        B + TEXT + b"--x--",
        B + MEDIA + B + MEDIA + b"--x--",
        B + MEDIA + b"--x",
        B + MEDIA + b"--x--epilogue",
        B + MEDIA.replace(b'"a"', b'"a\\"b"') + b"--x--",
        B + MEDIA.replace(b"filename=", b"filename*=") + b"--x--",
        B + MEDIA.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n") + b"--x--",
        B + TEXT.replace(b"v", b"\xff") + B + MEDIA + b"--x--",
        B + TEXT.replace(b'"t"', b'"media"') + B + MEDIA + b"--x--",
        (B + TEXT) * 100 + B + MEDIA + b"--x--",
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_other(body):
    assert form.parse(body, b"x") is None


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/form-data",
        b"multipart/form-data; boundary=a b",
        b"multipart/form-data; charset=latin-1; boundary=a",
        b"multipart/form-data; boundary=" + b"a" * 71,
    ],
)
def test_an_unusual_content_type_names_no_boundary(content_type):
    assert form.boundary_of(content_type) is None
