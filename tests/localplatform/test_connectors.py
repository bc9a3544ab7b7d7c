"""Datalakes in buckets, against a real S3 server in a process of its own."""

import json
import stat
import subprocess
import sys
import time

import fsspec
import pytest

from picsellia_jupyter.domain.errors import InvalidInputError, MissingExtraError
from picsellia_jupyter.localplatform.bootstrap import open_platform
from picsellia_jupyter.localplatform.buckets import BLOCK_BYTES, Bucket
from picsellia_jupyter.localplatform.connectors import checked_url, opened_at
from picsellia_jupyter.localplatform.refusals import BucketError
from picsellia_jupyter.localplatform.tables.organization import Connector
from tests.optional import needs

needs("s3fs", "moto")

SECRET = "canary-7f3a"
SERVER = (
    "import sys; from moto.server import ThreadedMotoServer as Server\n"
    "server = Server('127.0.0.1', int(sys.argv[1]), verbose=False); server.start()\n"
    "print(server.get_host_and_port()[1], flush=True); sys.stdin.read(); server.stop()"
)


@pytest.fixture
def database():
    """Buckets are the same beside either database."""


def started(port=0):
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(port)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    return process, int(process.stdout.readline())


def ended(process):
    process.kill()
    process.communicate()


@pytest.fixture(scope="module")
def s3():
    """Options that open a real S3 server with a bucket called `photos`."""
    process, port = started()
    options = reaching(port)
    files(options).call_s3("create_bucket", Bucket="photos")
    yield options
    ended(process)


def reaching(port):
    return {
        "key": "key", "secret": SECRET,
        "client_kwargs": {"endpoint_url": f"http://127.0.0.1:{port}", "region_name": "us-east-1"},
    }  # fmt: skip


def files(options):
    return fsspec.filesystem(
        "s3", **options, skip_instance_cache=True, use_listings_cache=False
    )  # fmt: skip


def make_lake(world, options, name="bucket", url="s3://photos/lake"):
    body = {"name": name, "url": url, "options": options}
    return world.user.post("/api/local/datalakes", json=body)


def upload(world, lake, body, filename="photo.png"):
    """Store bytes in a datalake as the SDK does; their object name."""
    name = world.user.post(
        f"/api/organization/{world.organization}/connector/{lake['connector_id']}"
        "/generate_object_name",
        json={"filename": filename, "type": "DATA"},
    ).json()["object_name"]
    where = world.user.post(
        f"/api/object-storage/{lake['connector_id']}/generate_presigned_url",
        json={"object_name": name, "content_type": "image/png"},
    ).json()["presigned_url_data"]["url"]
    assert world.stranger.put(where, content=body).status_code == 201
    return name


def register(world, lake, name, filename="photo.png"):
    body = {"type": "IMAGE", "filename": filename, "object_name": name}
    return world.user.post(f"/api/datalake/{lake['id']}/datas", json=body).json()


def test_data_lie_in_the_bucket_under_their_object_name_and_come_back(world, s3, encoded):
    lake = make_lake(world, s3).json()
    name = upload(world, lake, encoded())
    data = register(world, lake, name)
    assert files(s3).cat_file(f"photos/lake/{name}") == encoded()
    reply = world.stranger.get(data["presigned_url"])
    assert (reply.content, reply.headers["content-type"]) == (encoded(), "image/png")
    assert data["meta"] == {"width": 48, "height": 32}
    assert world.user.delete(f"/api/data/{data['id']}").status_code == 204
    assert not files(s3).exists(f"photos/lake/{name}")


def test_trying_a_bucket_out_leaves_nothing_in_it(world, s3):
    assert make_lake(world, s3, url="s3://photos/tried").status_code == 201
    assert files(s3).find("photos/tried") == []


def test_monitored_images_go_to_the_deployments_own_datalake(world, s3, encoded):
    lake = make_lake(world, s3).json()
    deployment = world.deployment(target_datalake_id=lake["id"])
    assert world.monitor(deployment, sample=True).status_code == 201
    page = world.user.get(f"/api/datalake/{lake['id']}/datas").json()
    [name] = [item["object_name"] for item in page["items"]]
    assert files(s3).cat_file(f"photos/lake/{name}") == encoded()


def test_a_large_file_is_sent_in_parts_and_comes_back_bit_by_bit(world, s3):
    lake = make_lake(world, s3).json()
    body = bytes(range(256)) * (BLOCK_BYTES * 2 // 256) + b"end"
    name = upload(world, lake, body, "film.mp4")
    assert "-" in files(s3).info(f"photos/lake/{name}")["ETag"]
    data = register(world, lake, name, "film.mp4")
    assert world.stranger.get(data["presigned_url"]).content == body


@pytest.mark.parametrize("sent", [100, BLOCK_BYTES + 100])
def test_an_upload_that_breaks_off_never_appears(s3, sent):
    blobs, name = Bucket("s3://photos/broken", s3), f"data/{'0' * 32}.bin"

    def broken():
        with blobs.writing(name) as stream:
            stream.write(b"x" * sent)
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        broken()
    assert blobs.size(name) is None
    assert files(s3).call_s3("list_multipart_uploads", Bucket="photos").get("Uploads", []) == []


def test_a_bucket_that_does_not_exist_makes_no_datalake_and_is_named(world, s3):
    reply = make_lake(world, s3, url="s3://phtoos")
    assert reply.status_code == 503
    assert "s3://phtoos" in reply.json()["message"]
    assert "Make the bucket" in reply.json()["detail"]
    assert list((world.home / "connectors").glob("*")) == []
    assert make_lake(world, s3).status_code == 201


def test_a_bucket_that_is_gone_refuses_by_name_and_acknowledges_nothing(world):
    process, port = started()
    files(reaching(port)).call_s3("create_bucket", Bucket="photos")
    lake = make_lake(world, reaching(port)).json()
    deployment = world.deployment(target_datalake_id=lake["id"])
    ended(process)
    begun = time.monotonic()
    reply = world.monitor(deployment, sample=True)
    # The SDK waits 30 s for storage; it must have heard of it by then.
    assert time.monotonic() - begun < 20
    assert reply.status_code == 503
    assert "s3://photos/lake" in reply.json()["message"]
    assert world.user.get(f"/api/deployment/{deployment['id']}").json()["inferences"] == 0
    process, _ = started(port)
    files(reaching(port)).call_s3("create_bucket", Bucket="photos")
    assert world.monitor(deployment, sample=True).status_code == 201
    ended(process)


def test_deleting_data_while_the_bucket_is_gone_still_deletes_them(world, encoded):
    process, port = started()
    files(reaching(port)).call_s3("create_bucket", Bucket="photos")
    lake = make_lake(world, reaching(port)).json()
    data = register(world, lake, upload(world, lake, encoded()))
    ended(process)
    assert world.user.delete(f"/api/data/{data['id']}").status_code == 204
    assert world.user.get(f"/api/data/{data['id']}").status_code == 404


def test_secrets_are_kept_for_the_user_alone_and_never_told(world, s3):
    reply = make_lake(world, s3)
    [kept] = (world.home / "connectors").iterdir()
    assert json.loads(kept.read_text()) == s3
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    told = [
        reply.text,
        make_lake(world, s3).text,
        world.user.post(
            "/api/local/datalakes", json={"name": "x", "url": "s3://b", "options": SECRET}
        ).text,
        make_lake(world, {**s3, "nonsense": SECRET}, "x", "s3://nowhere").text,
        world.user.get(f"/api/organization/{world.organization}/datalakes").text,
    ]
    assert not [text for text in told if SECRET in text]
    holding = [
        path
        for path in world.home.rglob("*")
        if path.is_file() and SECRET.encode() in path.read_bytes()
    ]
    assert holding == [kept]


def test_a_secret_can_be_named_instead_of_told(world, s3, monkeypatch):
    options = {**s3, "secret": {"env": "LAKE_SECRET"}}
    refused = make_lake(world, options)
    assert refused.status_code == 503
    assert "LAKE_SECRET" in refused.json()["message"]
    monkeypatch.setenv("LAKE_SECRET", SECRET)
    assert make_lake(world, options).status_code == 201
    assert SECRET not in next((world.home / "connectors").iterdir()).read_text()


def test_a_bucket_opens_again_in_the_next_run(world, s3, encoded):
    lake = make_lake(world, s3).json()
    name = upload(world, lake, encoded())
    world.platform.store.close()
    world.platform, _ = open_platform(
        world.home, token=world.token, clock=world.clock, started_at=0.0
    )
    with world.platform.store.reading() as session:
        connector = session.get_one(Connector, lake["connector_id"])
        with world.platform.blobs(connector).open(name) as stream:
            assert stream.read() == encoded()


def test_a_datalake_can_be_a_folder_of_the_users_own(world, tmp_path, encoded):
    lake = make_lake(world, {}, url=f"file://{tmp_path / 'mine'}").json()
    name = upload(world, lake, encoded())
    assert (tmp_path / "mine" / name).read_bytes() == encoded()


def test_a_folder_that_cannot_be_written_is_refused(world, tmp_path):
    (tmp_path / "taken").write_text("a file")
    reply = make_lake(world, {}, url=f"file://{tmp_path / 'taken'}")
    assert reply.status_code == 503
    assert "taken" in reply.json()["message"]


@pytest.mark.parametrize(
    "url",
    [
        "bucket", "/folder", "http://bucket/x", "memory://bucket", "s3://", "s3:bucket", "file://",
        "s3://key:secret@bucket", "s3://bucket?x=1", "s3://bucket#x", "simplecache::s3://bucket",
        "s3://bucket/../other", "file:///home/../etc", "gs://b::zip://x",
    ],
)  # fmt: skip
def test_addresses_that_are_no_place_for_files_are_refused(url):
    with pytest.raises(InvalidInputError) as refused:
        checked_url(url)
    assert "secret@" not in str(refused.value)


@pytest.mark.parametrize("url", ["s3://bucket", "gs://b/x", "az://c/x/y", "file:///home/me/lake"])
def test_addresses_of_buckets_and_folders_are_taken(url):
    assert checked_url(f"{url}/") == url


@pytest.mark.parametrize(
    ("url", "module", "extra"),
    [("s3://b", "s3fs", "s3"), ("gs://b", "gcsfs", "gcs"), ("az://b", "adlfs", "azure")],
)
def test_a_library_that_is_missing_is_named_with_its_extra(monkeypatch, url, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    for scheme in ("s3", "gs", "gcs", "az"):
        monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, scheme, raising=False)
    with pytest.raises(MissingExtraError, match=rf"{module}.*\[{extra}\]"):
        opened_at(url, {})


def test_options_nobody_understands_are_refused_without_being_repeated():
    with pytest.raises(BucketError) as refused:
        Bucket("s3://b", {"max_concurrency": 0, "token": SECRET})
    assert SECRET not in str(refused.value)


def test_what_was_in_a_bucket_before_is_imported_under_its_own_name(world, s3, encoded):
    lake = make_lake(world, s3, "old", "s3://photos/old").json()
    for name in ("2024/first one.png", "2024/näxt.png", "2023/other.png"):
        files(s3).pipe_file(f"photos/old/{name}", encoded(48, 32, "PNG"))
    path = f"/api/datalake/{lake['id']}"

    for _ in range(2):
        done = world.user.post(f"{path}/objects", json={"prefixes": ["2024/"]})
        assert done.status_code == 200, done.text

    found = world.user.get(f"{path}/datas", params={"order_by": "filename"}).json()["items"]
    assert [one["filename"] for one in found] == ["first one.png", "näxt.png"]
    assert [one["meta"]["width"] for one in found] == [48, 48]
    assert world.stranger.get(found[1]["presigned_url"]).content == encoded(48, 32, "PNG")
    for one in found:
        assert world.user.delete(f"/api/data/{one['id']}").status_code == 204
    assert files(s3).exists("photos/old/2024/first one.png")


@pytest.mark.parametrize("name", ["../lake/a.png", "a/../../b.png", "/a.png", "a//b.png", "a\\b"])
def test_no_name_leads_out_of_the_folder_of_a_datalake(world, s3, name):
    lake = make_lake(world, s3, f"safe {len(name)}", "s3://photos/safe").json()

    reply = world.user.post(f"/api/datalake/{lake['id']}/objects", json={"objects": {name: {}}})

    assert reply.status_code == 400
    assert "no name of an object" in reply.json()["message"]
