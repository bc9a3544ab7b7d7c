"""A real PostgreSQL server, from the system's own package, for one test run."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGED = Path("/usr/lib/postgresql")
ACCOUNT = "postgres"
"""Debian's package makes it; the server refuses to run as root."""
END_OTHERS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
EMPTY = """
    DO $$ DECLARE name text; BEGIN
      SET LOCAL session_replication_role = replica;  -- foreign keys, in any order
      FOR name IN SELECT tablename FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
      LOOP EXECUTE 'DELETE FROM ' || quote_ident(name); END LOOP;
    END $$
"""


def programs() -> Path | None:
    """The folder of the newest installed server, or None."""
    found = sorted(PACKAGED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    onpath = shutil.which("initdb")
    return Path(onpath).resolve().parent if onpath else None


class PostgresServer:
    """Listens on a socket in a folder of its own; nothing survives it."""

    def __init__(self, bin_folder: Path) -> None:
        self._bin = bin_folder
        self._account = ACCOUNT if os.geteuid() == 0 else None
        # Not in pytest's own folder, which other accounts cannot enter.
        self.folder = Path(tempfile.mkdtemp(prefix="pg-"))
        if self._account:
            shutil.chown(self.folder, self._account)
        self._names = (f"test{number}" for number in itertools.count())
        self._template: str | None = None
        self._emptied: list[str] = []
        self._run("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", ACCOUNT,
                  "--no-locale", "-E", "UTF8", "--no-sync")  # fmt: skip
        self._log = (self.folder / "log").open("wb")
        self._process = subprocess.Popen(
            [*self._as_account(), str(self._bin / "postgres"), "-D", str(self.folder / "data"),
             "-k", str(self.folder), "-c", "listen_addresses=", "-c", "fsync=off",
             "-c", "max_connections=200", "-c", "shared_buffers=32MB"],
            stdout=self._log, stderr=subprocess.STDOUT, cwd=self.folder,
        )  # fmt: skip
        self._wait()

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://{ACCOUNT}@/{name}?host={self.folder}"

    def database(self, *, template: str = "template0") -> str:
        """The URL of a new database."""
        name = next(self._names)
        self._sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    @contextmanager
    def furnished(self) -> Iterator[str]:
        """The URL of a database that has all tables and no rows, for one use at a time."""
        url = self._emptied.pop() if self._emptied else self._with_tables()
        yield url
        self._empty(url)
        self._emptied.append(url)

    def _with_tables(self) -> str:
        if self._template is None:
            from picsellia_jupyter.localplatform.store import Store

            url = self.database()
            Store(url).close()
            self._template = url.split("@/")[1].split("?")[0]
        return self.database(template=self._template)

    def _empty(self, url: str) -> None:
        """End what is still connected, and delete all rows: far quicker than a new database."""
        import psycopg

        name = url.split("@/")[1].split("?", maxsplit=1)[0]
        with psycopg.connect(host=str(self.folder), user=ACCOUNT, dbname=name) as connection:
            connection.execute(END_OTHERS)
            connection.execute(EMPTY)

    def stop(self) -> None:
        """End the server at once, whoever is connected, and remove its folder."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(timeout=20)
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _as_account(self) -> list[str]:
        if self._account is None:
            return []
        return ["setpriv", f"--reuid={self._account}", f"--regid={self._account}", "--init-groups"]

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_account(), str(self._bin / program), *arguments],
            check=True, capture_output=True, cwd=self.folder,
        )  # fmt: skip

    def _sql(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(
            host=str(self.folder), user=ACCOUNT, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            ready = subprocess.run(
                [str(self._bin / "pg_isready"), "-q", "-h", str(self.folder)], check=False
            )
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        said = (self.folder / "log").read_text()[-2000:]
        self.stop()
        raise RuntimeError(f"PostgreSQL did not start:\n{said}")
