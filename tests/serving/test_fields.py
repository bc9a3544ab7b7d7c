"""What a predict request says beside its image is recorded as it is, or refused at once."""

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from picsellia_jupyter.domain.errors import InvalidInputError
from picsellia_jupyter.localplatform.recording import NewPrediction
from picsellia_jupyter.serving import fields


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("page.jpg", "page.jpg"),
        ("Screenshot 9.41.07\u202fAM.png", "Screenshot 9.41.07 AM.png"),
        ("a\u00a0b\u3000c\u2028d.jpg", "a b c d.jpg"),
        ("gpj.\u202eexe.jpg", "gpj.exe.jpg"),
        ("a\x00b\nc\x7f.jpg", "abc.jpg"),
        ("..\\up/../../etc/passwd", "passwd"),
        ("\u200b", "image"),
        ("\u202f.jpg", ".jpg"),
        ("..\u200b", "image"),
        ("", "image"),
        (None, "image"),
        ("é漢字.jpg", "é漢字.jpg"),
    ],
)
def test_a_file_name_is_made_printable(sent, kept):
    assert fields.bare_name(sent) == kept


def test_a_long_file_name_keeps_its_ending():
    name = fields.bare_name("x" * 400 + ".jpeg")
    assert len(name) == 255
    assert name.endswith("xx.jpeg")


@pytest.mark.parametrize("tag", ["", "  ", "x" * 101, "two\nlines", "narrow\u202fspace"])
def test_a_tag_that_cannot_be_recorded_is_refused_and_named(tag):
    with pytest.raises(InvalidInputError, match="tags has ") as refusal:
        fields.tags(["good", tag])
    assert "1 to 100 printable characters" in refusal.value.remedy


def test_too_many_tags_are_refused():
    assert len(fields.tags(["tag"] * 50)) == 50
    with pytest.raises(InvalidInputError, match="There are 51 tags"):
        fields.tags(["tag"] * 51)


def test_a_source_is_one_line_or_none():
    assert fields.source(None) is fields.source("") is None
    assert fields.source("camera 3") == "camera 3"
    with pytest.raises(InvalidInputError, match="source has"):
        fields.source("x" * 201)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[1]", "is no JSON object"),
        ("{", "is no JSON object"),
        ('{"k": NaN}', "metadata.k holds nan"),
        ('{"k": [1, {"a": 1e999}]}', "metadata.k holds inf"),
        ('{"k": 99999999999999999999}', "metadata.k holds 99999999999999999999"),
        ('{"k": "\\ud800"}', "cannot be stored"),
        ('{"k\\u0000": 1}', "cannot be stored"),
        ('{"k": ' + "[" * 40 + "]" * 40 + "}", "metadata.k is nested too deep"),
        ('{"k": ' + "[" * 100_000 + "]" * 100_000 + "}", "is no JSON object"),
    ],
)
def test_metadata_that_cannot_be_stored_is_refused(text, told):
    with pytest.raises(InvalidInputError, match=told):
        fields.json_object("metadata", text)


def test_metadata_is_kept_as_it_is():
    said = {"line": 4, "ok": True, "none": None, "nested": {"a": [1.5, "é"]}}
    assert fields.json_object("metadata", json.dumps(said)) == said
    assert fields.json_object("metadata", None) is None


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)


@given(
    st.text(max_size=300), st.lists(st.text(max_size=110), max_size=3), st.text(max_size=210),
    st.dictionaries(st.text(max_size=8), ANYTHING, max_size=3),
)  # fmt: skip
def test_whatever_passes_is_taken_by_the_platform(name, tags, source, metadata):
    said = {"filename": fields.bare_name(name)}
    for key, checked in (
        ("tags", lambda: list(fields.tags(tags))),
        ("source", lambda: fields.source(source)),
        ("metadata", lambda: fields.json_object("metadata", json.dumps(metadata))),
    ):
        try:
            said[key] = checked()
        except InvalidInputError:
            continue
    body = {
        **said, "content_type": "image/png", "width": 1, "height": 1, "latency": 0,
        "raw_predictions": {},
    }  # fmt: skip
    read = NewPrediction.model_validate_json(orjson.dumps(body))
    assert read.filename == said["filename"]
    assert read.metadata == said.get("metadata")


@pytest.mark.parametrize(
    ("fields_sent", "told"),
    [
        ({"tags": ["a", "b\u2028c"]}, "tags has"),
        ({"source": "a\x07"}, "source has"),
        ({"custom_metadata": '{"k": Infinity}'}, "custom_metadata.k holds inf"),
    ],
)
def test_the_front_refuses_what_could_not_be_recorded(serving, fields_sent, told):
    reply = serving.predict(**fields_sent)
    assert reply.status_code == 400
    assert told in reply.json()["message"]
    assert reply.json()["detail"]


def test_a_screenshot_is_recorded_under_a_name_that_prints(serving):
    said = serving.predict(name="Screenshot 9.41.07\u202fAM.png").json()
    assert said["filename"] == "Screenshot 9.41.07 AM.png"
    serving.service.flush(5)
    [(_, _, predicted, _)] = serving.platform.recorded
    assert predicted.source == said["filename"]
