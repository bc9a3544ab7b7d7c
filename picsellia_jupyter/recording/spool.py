"""One owner's file of predictions that are not recorded yet."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from picsellia_jupyter.recording import records
from picsellia_jupyter.recording.claims import Claim, claim
from picsellia_jupyter.recording.records import Spelling

SYNCHRONOUS = "FULL"
"""NORMAL, which tests set, loses the last commits in a power cut."""
_PAGE = 32_768
"""Bytes; an image takes a few pages."""
_LOG_PAGES = 250
"""Pages of the write-ahead log before it is written back: 8 MB stay in the processor's caches."""
_LOG_BYTES = 64 * 1024 * 1024
SUFFIX = ".sqlite3"
_TABLE = """CREATE TABLE IF NOT EXISTS prediction (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, refused TEXT,
    said TEXT NOT NULL, found BLOB NOT NULL, image BLOB NOT NULL)"""
_INSERT = "INSERT INTO prediction VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO NOTHING"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Row:
    """A prediction in its place."""

    seq: int
    """Rows are recorded in this order."""
    spelling: Spelling


@dataclass(frozen=True, slots=True)
class Held:
    """How much there is."""

    waiting: int = 0
    refused: int = 0
    """Set aside: the platform will not have them."""
    size: int = 0
    """Bytes of both."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What one transaction does."""

    added: Sequence[Row] = ()
    removed: Sequence[int] = ()
    """By their place."""
    refused: Sequence[tuple[int, str]] = ()
    """Set aside, and why."""


class Spool:
    """A SQLite file with one owner, one connection and one thread that uses it.

    SQLite before 3.51.3 may lose a commit where two connections write.
    """

    def __init__(self, path: Path, own: Claim) -> None:
        """Open a claimed file, or make it.

        Raises:
            OSError, sqlite3.Error: it cannot be used.
        """
        self._path = path
        self._claim = own
        self._synchronous = ""
        _make_private(path)
        self._db = sqlite3.connect(path, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._db.close()
            raise

    @classmethod
    def of(cls, folder: Path) -> Spool:
        """Take over a file whose owner is gone, or make one.

        Raises:
            OSError, sqlite3.Error: there can be none.
        """
        make_private_folder(folder)
        _check_own(folder)
        for path, own in _abandoned(folder):
            if opened := cls._opened(path, own):
                return opened
        path = folder / f"{uuid.uuid4()}{SUFFIX}"
        made = claim(path)
        if made is None:
            raise OSError(f"{folder} cannot be locked")
        return cls(path, made)

    @classmethod
    def abandoned(cls, folder: Path) -> Iterator[Spool]:
        """The files of a folder whose owners are gone, each claimed while it is looked at.

        Raises:
            OSError, sqlite3.Error: one cannot be read.
        """
        for path, own in _abandoned(folder):
            if opened := cls._opened(path, own):
                try:
                    yield opened
                finally:
                    held = opened.held()
                    opened.close(remove=not held.waiting and not held.refused)

    @classmethod
    def _opened(cls, path: Path, own: Claim) -> Spool | None:
        """One that was abandoned; None where it is damaged, and then put out of the way."""
        try:
            return cls(path, own)
        except (OSError, sqlite3.OperationalError):
            own.let_go(remove=False)
            raise
        except sqlite3.DatabaseError as error:
            _log.error("%s is damaged (%s); it is kept with the suffix .damaged", path, error)
            path.replace(path.with_suffix(".damaged"))
            own.let_go(remove=True)
            return None

    def adopt(self, after: int) -> Held:
        """Take in the rows of files beside this one whose owners are gone; how many.

        Args:
            after: the last place that was ever given out.

        Raises:
            OSError, sqlite3.Error: they cannot be read, or kept here.
        """
        before = self.held()
        for path, own in _abandoned(self._path.parent):
            other, moved = self._opened(path, own), False
            if other is None:
                continue
            try:
                after = self._take_in(other, after)
                moved = True
            finally:
                other.close(remove=moved)
        now = self.held()
        return Held(
            now.waiting - before.waiting, now.refused - before.refused, now.size - before.size
        )

    def held(self) -> Held:
        """What is in it."""
        found = self._db.execute(
            "SELECT count(*) - count(refused), count(refused), total(size) FROM prediction"
        ).fetchone()
        return Held(found[0], found[1], int(found[2]))

    @property
    def oldest(self) -> float | None:
        """When the first that is in it was predicted, seconds since the epoch; None if empty."""
        found = self._db.execute("SELECT said FROM prediction ORDER BY seq LIMIT 1").fetchone()
        return records.when(found[0]) if found else None

    def refused(self) -> list[tuple[str, str]]:
        """The ids of what is set aside, and why."""
        return self._db.execute(
            "SELECT id, refused FROM prediction WHERE refused IS NOT NULL ORDER BY seq"
        ).fetchall()

    def put_back(self) -> int:
        """Have what is set aside tried again; how many."""
        self._sync(SYNCHRONOUS)
        with self._transaction():
            return self._db.execute(
                "UPDATE prediction SET refused = NULL WHERE refused IS NOT NULL"
            ).rowcount

    def drop_refused(self) -> int:
        """Remove what is set aside, for good; how many."""
        self._sync(SYNCHRONOUS)
        with self._transaction():
            return self._db.execute("DELETE FROM prediction WHERE refused IS NOT NULL").rowcount

    @property
    def last(self) -> int:
        """The last place that is taken; 0 where none is."""
        return int(self._db.execute("SELECT ifnull(max(seq), 0) FROM prediction").fetchone()[0])

    def change(self, changes: Changes) -> None:
        """Do all of it or nothing; what is added is durable on return.

        Raises:
            OSError, sqlite3.Error: nothing of it was done.
        """
        # What is removed and comes back after a power cut is recorded already, and refused.
        self._sync(SYNCHRONOUS if changes.added or changes.refused else "NORMAL")
        with self._transaction():
            self._db.executemany(_INSERT, (_values(row, None) for row in changes.added))
            self._db.executemany(
                "DELETE FROM prediction WHERE seq = ?", ((seq,) for seq in changes.removed)
            )
            self._db.executemany(
                "UPDATE prediction SET refused = ?2 WHERE seq = ?1", changes.refused
            )

    def after(self, seq: int, *, rows: int, size: int) -> tuple[list[Row], bool]:
        """The next rows that wait.

        Args:
            seq: the place after which to begin.
            rows: how many at most.
            size: bytes after which to stop.

        Returns:
            The rows, and whether there are no more.
        """
        found = list[Row]()
        cursor = self._db.execute(
            "SELECT seq, id, said, found, image FROM prediction "
            "WHERE seq > ? AND refused IS NULL ORDER BY seq LIMIT ?",
            (seq, rows + 1),
        )
        with contextlib.closing(cursor):
            for place, *spelt in cursor:
                if len(found) == rows or size <= 0:
                    return found, False
                found.append(Row(place, Spelling(*spelt)))
                size -= found[-1].spelling.size
        return found, True

    def close(self, *, remove: bool) -> None:
        """Let it go; an empty one may be removed."""
        self._db.close()
        if remove:
            for suffix in ("-wal", "-shm", ""):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        self._claim.let_go(remove=remove)
        with contextlib.suppress(OSError):  # others have files in it
            self._path.parent.rmdir()

    def _prepare(self) -> None:
        self._db.execute(f"PRAGMA page_size={_PAGE}")
        # One owner: no shared memory beside the file, no locks for each transaction.
        self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode=WAL")
        # Some builds overwrite what is deleted, which writes each image twice.
        self._db.execute("PRAGMA secure_delete=OFF")
        self._db.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
        self._db.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
        self._sync(SYNCHRONOUS)
        self._db.execute(_TABLE)
        sync_folder(self._path.parent)

    def _sync(self, how: str) -> None:
        if how != self._synchronous:
            self._db.execute(f"PRAGMA synchronous={how}")
            self._synchronous = how

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def _take_in(self, other: Spool, after: int) -> int:
        """Copy the rows of another one behind a place; the last place then."""
        place = 0
        while rows := other._rows(place):
            place = rows[-1][0]
            self._sync(SYNCHRONOUS)
            with self._transaction():
                moved = ((after + n, *row[1:]) for n, row in enumerate(rows, 1))
                self._db.executemany(_INSERT, moved)
            after += len(rows)
        return after

    def _rows(self, after: int) -> list[tuple[Any, ...]]:
        return self._db.execute(
            "SELECT seq, id, size, refused, said, found, image FROM prediction "
            "WHERE seq > ? ORDER BY seq LIMIT 8",
            (after,),
        ).fetchall()


def _values(row: Row, refused: str | None) -> tuple[object, ...]:
    spelt = row.spelling
    return row.seq, spelt.id, spelt.size, refused, spelt.said, spelt.found, spelt.image


def _abandoned(folder: Path) -> Iterator[tuple[Path, Claim]]:
    """The files of a folder that nobody owns, claimed, the oldest first."""
    for path in sorted(folder.glob(f"*{SUFFIX}"), key=_age):
        own = claim(path)
        if own is None:
            continue
        if path.exists():
            yield path, own
        else:  # its owner has removed it just now
            own.let_go(remove=True)


def _age(path: Path) -> float:
    with contextlib.suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0


def _make_private(path: Path) -> None:
    """Make a file that only the user may read; SQLite makes those beside it alike."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags, 0o600)
    os.fchmod(descriptor, 0o600)
    os.close(descriptor)


def make_private_folder(folder: Path) -> None:
    """Make a folder for the user alone, with those above it; their names are durable.

    Raises:
        OSError: it cannot be made.
    """
    if not folder.is_dir():
        make_private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(folder.parent)


def _check_own(folder: Path) -> None:
    """Refuse a folder that somebody else could put files into.

    Raises:
        PermissionError: it is another user's, or open to others.
    """
    if os.name != "nt" and (folder.stat().st_uid != os.getuid() or folder.stat().st_mode & 0o077):
        raise PermissionError(f"{folder} is not this user's alone; try: chmod 700 {folder}")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
