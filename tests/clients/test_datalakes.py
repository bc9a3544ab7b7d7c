"""Datalakes in folders and buckets, made through the session."""

import traceback
from types import SimpleNamespace

import pytest

from picsellia_jupyter import Session
from picsellia_jupyter.clients.datalakes import Datalakes
from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError, PlatformError

SECRET = "canary-91c2"


@pytest.fixture(scope="module")
def session(platform):
    return Session(platform.host, platform.token)


def test_a_datalake_in_a_folder_is_made_and_listed(session, tmp_path):
    made = session.create_datalake("press-line", tmp_path / "press line")
    assert made.name == "press-line"
    assert (tmp_path / "press line").is_dir()
    listed = session.datalakes()
    assert made in listed.datalakes
    assert "press-line" in repr(listed)
    assert "press-line" in listed._repr_mimebundle_()["text/html"]
    assert listed.datalakes[0].name in session.status().rows["Datalakes"]


def test_a_datalake_without_a_place_shares_the_default_storage(session):
    default = session.datalakes().datalakes[0]
    assert session.create_datalake("spare").connector_id == default.connector_id


def test_a_taken_name_is_told(session):
    session.create_datalake("twice")
    with pytest.raises(ConflictError, match="A datalake is called 'twice' already"):
        session.create_datalake("twice")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("ftp://host/folder", "no address of a bucket or folder"),
        ("s3://user:password@bucket", "credentials and settings in `options`"),
        ("", "The place is empty"),
    ],
)
def test_a_place_that_is_none_is_refused(session, place, said):
    with pytest.raises(InvalidInputError, match=said) as refused:
        session.create_datalake("nowhere", place)
    assert "password@" not in str(refused.value)


def test_a_folder_that_cannot_be_written_is_told(session, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PlatformError, match="cannot hold files"):
        session.create_datalake("blocked", tmp_path / "file" / "below")


def test_credentials_are_never_told_again(session):
    pytest.importorskip("s3fs", reason="the extra [s3] is not installed")
    options = {
        "key": SECRET, "secret": SECRET, "client_kwargs": {"endpoint_url": "http://127.0.0.1:9"},
    }  # fmt: skip
    with pytest.raises(PlatformError, match="s3://photos") as refused:
        session.create_datalake("unreachable", "s3://photos", options=options)
    assert SECRET not in "".join(traceback.format_exception(refused.value))
    assert "unreachable" not in repr(session.datalakes())


def test_on_the_cloud_the_page_is_named():
    client = SimpleNamespace(id="o", name="Acme")
    cloud = Datalakes(client, "https://app.picsellia.com", {"username": "ada"})
    with pytest.raises(PlatformError) as refused:
        cloud.create_datalake("press-line", "s3://bucket", {"secret": SECRET})
    assert "made on its pages" in refused.value.fact
    assert "Open https://app.picsellia.com" in refused.value.remedy
    assert "--datalake" in refused.value.remedy
    assert SECRET not in str(refused.value)
