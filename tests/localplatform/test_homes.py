"""Data directories with odd names, broken or read-only ones."""

import os
import shutil
import stat
import subprocess
import sys

import pytest

from picsellia_jupyter.domain.errors import PlatformError
from picsellia_jupyter.localplatform import bootstrap

ODD = [
    "with space", "per%20cent", "what?mode=memory", "part#2", "zip::memory", "file:__x",
    "s3://bucket", "memory://x", "~", "file:x", ":memory:", "+&=;'\"", "[a]*{b}",
    "caf\u00e9 \u6771\u4eac\u202f\U0001f40d",
]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_a_data_directory_may_have_any_name_and_holds_everything(
    tmp_path, monkeypatch, open_world, encoded, name
):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    home = tmp_path / "homes" / name
    first = open_world(home)
    lake = first.user.get(f"/api/organization/{first.organization}/datalake").json()["id"]
    uploaded = {
        "type": "IMAGE",
        "filename": "u.png",
        "object_name": first.upload("u.png", encoded()),
    }
    assert first.user.post(f"/api/datalake/{lake}/datas", json=uploaded).status_code == 201
    assert first.monitor(first.deployment()).status_code == 201
    first.platform.store.close()

    again = open_world(home)
    items = again.user.get(f"/api/datalake/{lake}/datas").json()["items"]
    assert {item["filename"] for item in items} == {"u.png", "page.png"}
    assert {again.stranger.get(item["presigned_url"]).content for item in items} == {encoded()}
    again.platform.store.close()

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert (home / "platform.sqlite3") in files
    assert len([path for path in files if home / "storage" in path.parents]) == 2
    assert [path for path in files if home not in path.parents] == []


def test_the_program_serves_a_data_directory_with_an_odd_name(start_program, tmp_path):
    running = start_program(tmp_path / "50%20 off?#a::b \u00e9")
    assert running.stop() == 0
    assert (running.home / "platform.sqlite3").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [running.home.name]


def test_an_interrupted_first_start_leaves_no_half_secret(tmp_path, monkeypatch, open_world):
    def interrupted(_handle):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            open_world(tmp_path / "home")
    assert not (tmp_path / "home" / "secret").exists()
    world = open_world(tmp_path / "home")
    assert len(world.platform.keyring.secret) == 32
    if os.name != "nt":
        assert stat.S_IMODE((tmp_path / "home" / "secret").stat().st_mode) == 0o600
    world.platform.store.close()


@pytest.mark.parametrize("content", [b"", b"00" * 31, b"00" * 33, b"zz" * 32, b"\xff\xfe"])
def test_a_secret_that_is_none_is_refused_with_what_to_do(tmp_path, content):
    (tmp_path / "secret").write_bytes(content)
    with pytest.raises(PlatformError, match="is not 32 bytes") as refused:
        bootstrap.open_platform(tmp_path, token=None, clock=lambda: 0.0, started_at=0.0)
    assert "Delete it" in refused.value.remedy
    assert (tmp_path / "secret").read_bytes() == content


def test_a_database_that_is_none_is_refused_in_words(tmp_path):
    (tmp_path / "platform.sqlite3").write_bytes(b"no database at all" * 100)
    assert "not a database" in refusal_of(tmp_path)


@pytest.mark.parametrize("inside", ["home", "home/deeper"])
def test_a_file_where_the_data_directory_should_be_is_refused_in_words(tmp_path, inside):
    (tmp_path / "home").write_text("a file")
    assert "cannot be used" in refusal_of(tmp_path / inside)


@pytest.mark.skipif(os.name == "nt", reason="folders have no such modes there")
@pytest.mark.parametrize("furnished", [False, True])
def test_a_read_only_data_directory_is_refused_in_words(tmp_path, start_program, furnished):
    home = tmp_path / "home"
    home.mkdir()
    if furnished:
        start_program(home).stop()
    for path in [*home.iterdir(), home]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        assert "cannot be used" in refusal_of(home, prefix=as_any_user())
    finally:
        home.chmod(0o700)


def as_any_user() -> list[str]:
    """Words before a command that take away the super-user's right to write anywhere."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("the super-user may write anywhere")
    return ["setpriv", "--bounding-set=-dac_override"]


def refusal_of(home, prefix=()) -> str:
    command = [sys.executable, "-m", "picsellia_jupyter.localplatform", "--home", str(home)]
    done = subprocess.run(
        [*prefix, *command, "--idle-exit", "1"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "--home" in done.stderr
    return done.stderr
