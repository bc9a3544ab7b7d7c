"""Which database a data directory has, and who may open it."""

import stat
import subprocess
import sys
import threading
import time

import pytest

from picsellia_jupyter.domain.errors import ConflictError, InvalidInputError
from picsellia_jupyter.localplatform.home import chosen_database, keep_choice
from picsellia_jupyter.localplatform.refusals import NotDurableError
from picsellia_jupyter.localplatform.store import Store
from picsellia_jupyter.localplatform.tables.datalakes import DataSource
from tests.faults.monitoring import Client

URL = "postgresql+psycopg://team@db.example/platform"


def test_sqlite_in_the_directory_is_the_default(tmp_path):
    assert chosen_database(tmp_path, None) == f"sqlite:///{tmp_path / 'platform.sqlite3'}"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_choice_is_kept_for_later_starts_and_for_the_user_alone(tmp_path, scheme):
    assert chosen_database(tmp_path, f"{scheme}://team@db.example/platform") == URL
    assert not (tmp_path / "database").exists()
    keep_choice(tmp_path, URL)
    assert chosen_database(tmp_path, None) == URL
    assert chosen_database(tmp_path, URL) == URL
    assert stat.S_IMODE((tmp_path / "database").stat().st_mode) == 0o600


@pytest.mark.parametrize("address", ["mysql://u:secret@h/n", "sqlite:///x", "nonsense", ""])
def test_what_is_no_postgresql_address_is_refused_without_its_password(tmp_path, address):
    with pytest.raises(InvalidInputError, match="no PostgreSQL address") as refused:
        chosen_database(tmp_path, address)
    assert "secret" not in refused.value.fact
    assert not (tmp_path / "database").exists()


def test_a_directory_keeps_the_database_it_has(tmp_path):
    keep_choice(tmp_path, "postgresql+psycopg://team:secret@db.example/platform")
    with pytest.raises(InvalidInputError, match="has a database already") as refused:
        chosen_database(tmp_path, "postgresql://other@db.example/platform")
    assert "secret" not in refused.value.fact
    other = tmp_path / "other"
    other.mkdir()
    (other / "platform.sqlite3").touch()
    with pytest.raises(InvalidInputError, match="has a database already"):
        chosen_database(other, URL)


def test_a_database_has_one_platform(postgresql):
    url = postgresql.database()
    store = Store(url)
    with pytest.raises(ConflictError, match="Another platform serves"):
        Store(url)
    store.close()
    Store(url).close()


def test_a_server_that_does_not_answer_is_named_with_a_remedy(tmp_path):
    with pytest.raises(InvalidInputError, match="does not answer") as refused:
        Store(f"postgresql+psycopg://u:secret@/none?host={tmp_path}")
    assert "secret" not in refused.value.fact
    assert "PGPASSWORD" in refused.value.remedy


def test_blocks_on_postgresql_see_each_others_changes_in_turn(postgresql):
    store = Store(postgresql.database())
    with store.writing() as session:
        session.add(DataSource(id="counter", name="counter", created_at=0.0))

    def count():
        for _ in range(25):
            with store.writing() as session:
                session.get(DataSource, "counter").created_at += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with store.reading() as session:
        assert session.get(DataSource, "counter").created_at == 100
    store.close()


def test_a_lost_connection_is_refused_and_the_next_change_goes_well(postgresql):
    store = Store(postgresql.database())

    def cut(session):
        session.connection().connection.dbapi_connection.close()
        session.add(DataSource(name="lost", created_at=1.0))

    with pytest.raises(NotDurableError):
        store.write(cut)
    store.write(lambda session: session.add(DataSource(name="kept", created_at=1.0)))
    with store.reading() as session:
        assert [row.name for row in session.query(DataSource)] == ["kept"]
    store.close()


def test_what_was_acknowledged_survives_a_kill_of_the_platform(
    start_platform, postgresql, tmp_path
):
    running = start_platform(tmp_path, "--database", postgresql.database())
    client = Client.of(running)
    burst = client.burst(30, threads=4)
    while len(client.acknowledged) < 20:
        assert any(thread.is_alive() for thread in burst)
        time.sleep(0.01)
    running.kill()
    for thread in burst:
        thread.join(30)
    again = start_platform(tmp_path)
    client.host = again.host
    connection = client.connection()
    kept = list(client.acknowledged)
    assert {client.monitor(connection, mine, kept=False) for mine in kept} == {409}
    connection.close()
    start_platform.stop_all()


def test_the_program_says_in_one_line_that_its_database_is_away(tmp_path):
    url = f"postgresql://nobody@/none?host={tmp_path}"
    done = subprocess.run(
        [sys.executable, "-m", "picsellia_jupyter.localplatform", "--home", str(tmp_path / "h"),
         "--database", url],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "h" / "database").exists()
