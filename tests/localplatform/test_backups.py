"""Backups: whole, of one moment, and good for either database."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import zipfile

import pytest
from sqlalchemy import text

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.localplatform import store as stores
from picsellia_jupyter.localplatform.backups import backup, check, check_backup, restore
from picsellia_jupyter.localplatform.tables.base import Base
from picsellia_jupyter.localplatform.upgrading import upgrade


@pytest.fixture
def filled(world):
    """A world with a little of much: a model file, data, tags, predictions, a review."""
    deployment = world.deployment()
    caller = world.login(deployment)
    for number in range(5):
        reply = world.monitor(deployment, caller, filename=f"{number}.png", tags=["day"])
        assert reply.status_code == 201
    asset = world.user.get(f"/api/deployment/{deployment['id']}/predictedassets").json()
    assert asset["count"] == 5
    world.deployment_id = deployment["id"]
    return world


def everything(world):
    """All rows, as the database has them."""
    with world.platform.store.reading() as session:
        return {
            table.name: sorted(map(repr, session.execute(table.select()).all()))
            for table in Base.metadata.sorted_tables
        }


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_what_was_backed_up_is_restored_to_either_database(filled, tmp_path, target, request):
    made = backup(filled.home, tmp_path / "b.zip")
    assert (made.blobs, made.problems) == (5, ())
    url = request.getfixturevalue("postgresql").database() if target == "postgresql" else None
    back = restore(tmp_path / "again", tmp_path / "b.zip", database=url)
    assert (back.rows, back.blobs) == (made.rows, 5)
    again = type(filled)(tmp_path / "again", clock=filled.clock)
    try:
        before, after = everything(filled), everything(again)
        # The token is not in a backup: the next start makes a new one.
        before.pop("user"), after.pop("user")
        assert after == before
        assert again.token != filled.token
        page = again.user.get(f"/api/deployment/{filled.deployment_id}/predictedassets").json()
        assert all(image(again, item) for item in page["items"])
        assert again.monitor({"id": filled.deployment_id}).status_code == 201
    finally:
        again.platform.store.close()
    assert check(tmp_path / "again").problems == ()


def image(world, item) -> bytes:
    reply = world.stranger.get(item["data"]["presigned_url"])
    assert reply.status_code == 200
    return reply.content


def test_a_backup_is_taken_while_predictions_come_in(filled, tmp_path):
    over, caller = threading.Event(), filled.login({"id": filled.deployment_id})

    def keep_on():
        while not over.is_set():
            assert filled.monitor({"id": filled.deployment_id}, caller).status_code == 201

    client = threading.Thread(target=keep_on)
    client.start()
    try:
        made = [backup(filled.home, tmp_path / f"{n}.zip") for n in range(3)]
    finally:
        over.set()
        client.join(60)
    assert [one.problems for one in made] == [()] * 3
    restore(tmp_path / "again", tmp_path / "2.zip")
    assert check(tmp_path / "again").problems == ()
    with sqlite3.connect(tmp_path / "again" / "platform.sqlite3") as connection:
        counted = connection.execute("SELECT inferences FROM deployment").fetchone()
        assert counted == connection.execute("SELECT count(*) FROM prediction").fetchone()
    connection.close()


def test_a_backup_of_an_earlier_form_is_restored_and_upgraded(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    engine = stores.engine_for(f"sqlite:///{home / 'platform.sqlite3'}", writes=True)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO connector VALUES ('c', 'storage/default', 'c', 1.0)"))
    engine.dispose()
    backup(home, tmp_path / "b.zip")
    earlier(tmp_path / "b.zip")
    restore(tmp_path / "again", tmp_path / "b.zip")
    with sqlite3.connect(tmp_path / "again" / "platform.sqlite3") as connection:
        assert connection.execute("SELECT count(*) FROM connector").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM project").fetchone() == (0,)
    connection.close()


def earlier(path):
    """Make a backup one of the first form, which had fewer tables."""
    first = ["connector", "data_source", "model", "user", "datalake", "organization"]
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(held["manifest.json"])
    manifest["revision"] = "0001"
    manifest["tables"] = {name: manifest["tables"][name] for name in first}
    held["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in held.items():
            archive.writestr(name, body)


def test_what_is_there_is_never_overwritten(filled, tmp_path):
    backup(filled.home, tmp_path / "b.zip")
    with pytest.raises(ConflictError, match="data"):
        restore(filled.home, tmp_path / "b.zip")


def test_a_damaged_backup_is_refused_and_leaves_no_database(filled, tmp_path):
    backup(filled.home, tmp_path / "b.zip")
    assert check_backup(tmp_path / "b.zip").problems == ()
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    blob = next(name for name in held if name.startswith("blobs/"))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for name, body in held.items():
            archive.writestr(name, b"other" if name == blob else body)
    with pytest.raises(InvalidInputError, match="not what was backed up"):
        check_backup(tmp_path / "b.zip")
    with pytest.raises(InvalidInputError, match="not what was backed up"):
        restore(tmp_path / "again", tmp_path / "b.zip")
    assert not (tmp_path / "again" / "platform.sqlite3").exists()


def test_what_is_no_backup_is_named(tmp_path):
    (tmp_path / "x.zip").write_text("hello")
    with pytest.raises(InvalidInputError, match="cannot be read as a backup"):
        restore(tmp_path / "home", tmp_path / "x.zip")


def test_a_backup_cannot_write_outside_the_data_directory(filled, tmp_path):
    backup(filled.home, tmp_path / "b.zip")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(held["manifest.json"])
    name, digest = next(iter(manifest["blobs"].items()))
    outside = f"../elsewhere:{name.partition(':')[2]}"
    manifest["blobs"] = {outside: digest}
    held[f"blobs/{outside}"] = held[f"blobs/{name}"]
    held["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for entry, body in held.items():
            archive.writestr(entry, body)
    with pytest.raises(InvalidInputError, match="outside the data directory"):
        restore(tmp_path / "again", tmp_path / "bad.zip")
    assert not (tmp_path / "elsewhere").exists()


def test_a_check_names_what_is_missing(filled):
    assert check(filled.home).problems == ()
    folder = filled.home / "storage" / "default" / "data"
    gone = next(folder.iterdir())
    gone.unlink()
    assert gone.name in check(filled.home).problems[0]


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "picsellia_jupyter.cli", "platform", *map(str, arguments)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_command_backs_up_restores_and_checks(start_platform, tmp_path):
    home, again, file = tmp_path / "home", tmp_path / "again", tmp_path / "b.zip"
    running = start_platform(home)
    done = command("backup", file, "--home", home)
    assert done.returncode == 0, done.stderr
    assert "Backed up" in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert running.token.encode() not in file.read_bytes()
    refused = command("restore", file, "--home", home)
    assert refused.returncode == 1
    assert "serves" in refused.stderr
    assert command("restore", file, "--home", again).returncode == 0
    checked = command("check", "--home", again, "--json")
    assert json.loads(checked.stdout)["problems"] == []
    assert command("check", file, "--home", again).returncode == 0
    assert start_platform(again).organization == running.organization
    start_platform.stop_all()


def test_a_damaged_directory_is_told_by_the_exit_status(start_platform, tmp_path):
    home = tmp_path / "home"
    start_platform(home)
    start_platform.stop_all()
    path = home / "platform.sqlite3"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 : len(raw) // 2 + 4096] = os.urandom(4096)
    path.write_bytes(bytes(raw))
    done = command("check", "--home", home)
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    shutil.rmtree(home)
    assert "no platform's data" in command("check", "--home", home).stderr
