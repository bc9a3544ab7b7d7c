"""What a disk damages is found, named, and never handed out as whole."""

import json
import sqlite3
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import delete, select

from picsellia_jupyter.localplatform.backups import backup, check, restore
from picsellia_jupyter.localplatform.platform import organization_of
from picsellia_jupyter.localplatform.sums import DamagedBlobError, storing, verified
from picsellia_jupyter.localplatform.tables.organization import Connector
from picsellia_jupyter.localplatform.tables.sums import BlobSum
from tests.localplatform.conftest import png


def flip_a_bit(path):
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(body)


def blob_of(world, name):
    return world.home / connector(world).root / name


def registered(world, body=None, filename="page.png"):
    """An uploaded and registered data: its object name and its address."""
    name = world.upload(filename, body or png())
    lakes = world.user.get(f"/api/organization/{world.organization}/datalakes").json()["items"]
    made = world.user.post(
        f"/api/datalake/{lakes[0]['id']}/datas",
        json={
            "object_name": name,
            "filename": filename,
            "content_type": "image/png",
            "type": "IMAGE",
        },
    )
    assert made.status_code == 201, made.text
    return name, made.json()["presigned_url"]


def sums(world):
    with world.platform.store.reading() as session:
        return {row.object_name: row.sha256 for row in session.scalars(select(BlobSum))}


def connector(world):
    with world.platform.store.reading() as session:
        return session.get_one(Connector, organization_of(session).default_connector_id)


def test_one_flipped_bit_is_found_and_named_with_what_to_do(world):
    name, _ = registered(world)
    world.monitor(world.deployment())
    assert check(world.home).problems == ()
    flip_a_bit(blob_of(world, name))
    [problem] = check(world.home).problems
    assert str(blob_of(world, name)) in problem
    assert "not what was stored" in problem
    assert f"Put blobs/{connector(world).root}:{name} of a backup in its place" in problem


def test_the_image_of_a_prediction_has_a_sum_too(world):
    deployment = world.deployment()
    assert world.monitor(deployment).status_code == 201
    [name] = sums(world)
    flip_a_bit(blob_of(world, name))
    [problem] = check(world.home).problems
    assert name in problem


def test_the_remedy_heals(world, tmp_path):
    name, url = registered(world)
    backup(world.home, tmp_path / "b.zip")
    whole = blob_of(world, name).read_bytes()
    flip_a_bit(blob_of(world, name))
    assert backup(world.home, tmp_path / "worse.zip").problems == check(world.home).problems
    subprocess.run(
        [sys.executable, "-m", "zipfile", "-e", str(tmp_path / "b.zip"), str(tmp_path / "out")],
        check=True,
    )
    blob_of(world, name).write_bytes(
        (tmp_path / "out" / "blobs" / f"{connector(world).root}:{name}").read_bytes()
    )
    assert check(world.home).problems == ()
    assert world.stranger.get(url).content == whole


def test_a_damaged_file_is_refused_in_words_where_it_is_asked_for(world):
    name, url = registered(world)
    flip_a_bit(blob_of(world, name))
    reply = world.stranger.get(url)
    assert reply.status_code == 500
    assert f"{name} is damaged" in reply.json()["message"]
    assert "picsellia-jupyter platform check" in reply.json()["detail"]


def test_of_a_damaged_file_of_many_pieces_the_last_is_not_handed_out():
    pieces = verified([b"one", b"two", b"three"], "0" * 64, "data/x")
    assert [next(pieces), next(pieces)] == [b"one", b"two"]
    with pytest.raises(DamagedBlobError, match="data/x is damaged"):
        next(pieces)


def test_a_file_without_a_sum_is_handed_out_as_it_is():
    pieces = [b"one", b"two", b"three"]
    assert list(verified(pieces, None, "data/x")) == pieces
    assert list(verified([], None, "data/x")) == []


def test_a_blob_from_before_sums_were_kept_is_valid(world):
    name, url = registered(world)
    with world.platform.store.writing() as session:
        session.execute(delete(BlobSum))
    report = check(world.home)
    assert report.problems == ()
    assert "1 blobs came before sums were kept" in report.notes[0]
    assert world.stranger.get(url).status_code == 200
    assert blob_of(world, name).is_file()


def test_what_is_deleted_leaves_no_sum(world):
    name, _ = registered(world)
    assert name in sums(world)
    lakes = world.user.get(f"/api/organization/{world.organization}/datalakes").json()["items"]
    path = f"/api/datalake/{lakes[0]['id']}/datas"
    [item] = world.user.get(path).json()["items"]
    assert world.user.delete(f"/api/data/{item['id']}").status_code in (200, 204)
    assert sums(world) == {}


def test_of_uploads_at_once_under_one_name_blob_and_sum_are_the_same_ones(world):
    name = f"data/{uuid.uuid4().hex}.png"
    place = connector(world)

    def store(number):
        with storing(world.platform, place, name) as stream:
            stream.write(bytes([number]) * 5000)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(store, range(24)))
    blobs = world.platform.blobs(place)
    assert list(verified(blobs.chunks(name), sums(world)[name], name)) == [
        blob_of(world, name).read_bytes()
    ]


def test_an_upload_that_breaks_off_keeps_the_former_blob_with_its_sum(world):
    place, name = connector(world), f"data/{uuid.uuid4().hex}.png"
    with storing(world.platform, place, name) as stream:
        stream.write(b"first")
    before = sums(world)

    def broken():
        with storing(world.platform, place, name) as stream:
            stream.write(b"second")
            raise ConnectionError("gone")

    with pytest.raises(ConnectionError):
        broken()
    assert sums(world) == before
    assert blob_of(world, name).read_bytes() == b"first"


def test_sums_travel_with_a_backup(world, tmp_path):
    name, _ = registered(world)
    backup(world.home, tmp_path / "b.zip")
    restore(tmp_path / "again", tmp_path / "b.zip")
    assert check(tmp_path / "again").problems == ()
    flip_a_bit(tmp_path / "again" / connector(world).root / name)
    assert len(check(tmp_path / "again").problems) == 1
    with sqlite3.connect(tmp_path / "again" / "platform.sqlite3") as connection:
        assert connection.execute("SELECT count(*) FROM blob_sum").fetchone() == (1,)


def test_the_command_says_it_too_while_the_platform_runs(world):
    name, _ = registered(world)
    flip_a_bit(blob_of(world, name))
    module = "picsellia_jupyter.localplatform.upkeep"
    ran = subprocess.run(
        [sys.executable, "-m", module, "check", "--home", str(world.home), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 4
    assert name in json.loads(ran.stdout)["problems"][0]
