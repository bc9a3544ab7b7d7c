"""Files are whole and durable, or not there; a full disk is told and lived through."""

import errno
import os
import stat

import pytest

from picsellia_jupyter.localplatform import blobs as blobs_module
from picsellia_jupyter.localplatform import durable
from picsellia_jupyter.localplatform.blobs import Folder, new_object_name
from picsellia_jupyter.localplatform.bootstrap import open_platform
from picsellia_jupyter.localplatform.durable import make_folder, write_private


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "storage" / "default")


@pytest.fixture
def name():
    return new_object_name("DATA", "x.bin")


def files(root):
    return [path for path in root.rglob("*") if path.is_file()]


def test_a_write_that_is_cut_short_never_becomes_visible(folder, name, tmp_path):
    def cut_short():
        with folder.writing(name) as stream:
            stream.write(b"half")
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        cut_short()
    assert folder.size(name) is None
    assert files(tmp_path) == []


def test_what_the_disk_gives_back_changed_is_refused(folder, name, tmp_path, monkeypatch):
    def forgetful(self, body):
        self._seen.update(body)
        return super(blobs_module._Hashing, self).write(bytes(len(body)))

    monkeypatch.setattr(blobs_module._Hashing, "write", forgetful)
    with pytest.raises(OSError, match="something else than was written") as refused:
        folder.put(name, b"body")
    assert refused.value.errno == errno.EIO
    assert files(tmp_path) == []


def test_bytes_are_synced_before_their_name_and_the_name_before_the_answer(
    folder, name, monkeypatch
):
    done, sync, replace = [], os.fsync, blobs_module.Path.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (done.append(kind(handle)), sync(handle)))
    monkeypatch.setattr(
        blobs_module.Path, "replace", lambda a, b: (done.append("rename"), replace(a, b))[1]
    )
    folder.put(name, b"body")
    assert done[-3:] == ["file", "rename", "folder"]


def kind(handle):
    return "folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file"


def test_every_new_folder_is_made_durable_in_the_one_above(tmp_path, monkeypatch):
    synced, sync = [], durable.sync_folder
    monkeypatch.setattr(durable, "sync_folder", lambda one: (synced.append(one), sync(one)))
    make_folder(tmp_path / "a" / "b")
    assert synced == [tmp_path, tmp_path / "a"]


def test_what_a_kill_left_behind_is_swept_at_the_next_start(tmp_path):
    opened, token = open_platform(tmp_path, token=None, clock=lambda: 1.0, started_at=0.0)
    opened.store.close()
    left = tmp_path / "storage" / "default" / "data" / ".part-0123"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"half")
    opened, _ = open_platform(tmp_path, token=token, clock=lambda: 1.0, started_at=0.0)
    opened.store.close()
    assert not left.exists()


def test_a_private_file_that_cannot_be_written_leaves_the_one_before(tmp_path, monkeypatch):
    write_private(tmp_path / "secret", "first")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(tmp_path / "secret", "second")
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").read_text() == "first"


def full(_handle):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_told_and_the_next_upload_goes_well(world, encoded, monkeypatch):
    deployment = world.deployment()
    caller = world.login(deployment)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        refused = world.monitor(deployment, caller)
    assert refused.status_code == 507
    assert "No space left on device" in refused.json()["message"]
    assert "Make room" in refused.json()["detail"]
    assert world.monitor(deployment, caller).status_code == 201
    assets = world.user.get(f"/api/deployment/{deployment['id']}/predictedassets").json()
    assert assets["count"] == 1
