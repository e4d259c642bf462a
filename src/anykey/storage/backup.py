"""Copies of the database in a file: taken while others write, checked, and put in the place of another.

Law: a copy is of one moment. The reader holds a snapshot for as long as it copies; nobody waits for it, and whatever is written
meanwhile, it comes to an end (SQLite begins a copy anew whenever another has written, unless it is read from a snapshot).
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from anykey.storage.database import Database, has_table
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.lock import exclusive
from anykey.storage.migrate import packaged_revisions, stored_revision
from anykey.storage.processes import this_host
from anykey.storage.sqlite_database import FILE_NAME, SqliteDatabase

PAGES = 1024
"""Copied in one step, 4 MiB; between two steps the interpreter does other things."""
SILENT_MS = 10_000
"""A gateway on another machine gives a sign of life each second; after this long without one it is taken for stopped."""
_BESIDE = ("-wal", "-shm")


class Running(NamedTuple):
    """A gateway at work on a database."""

    host: str
    pid: int


def copy_database(source: SqliteDatabase, target: Path) -> int:
    """Copy the database as it is at this moment to the new file `target`, 0600, on the disk when this returns. Returns its
    size in bytes. Raises FileExistsError, StorageError; a copy that failed leaves no file."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(source.driver_connection(None)) as reader, closing(sqlite3.connect(target)) as copy:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()  # from here on, it sees one moment
            reader.backup(copy, pages=PAGES)
            copy.execute("PRAGMA journal_mode=DELETE")  # all in this file, nothing beside it
        with target.open("rb") as written:
            os.fsync(written.fileno())
    except sqlite3.Error as error:
        target.unlink(missing_ok=True)
        raise StorageError("storage.failed", path=source.name, reason=error) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target.stat().st_size


def check_copy(file: Path) -> str:
    """Read the whole file and return the revision of its schema. Raises StorageError where it is damaged, not ours, or from a
    newer release."""
    database = SqliteDatabase(file)
    try:
        with closing(database.connect(read_only=True)) as connection:
            found = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            ours = has_table(database, connection, "alembic_version")
        if found != ["ok"]:
            raise StorageError("backup.damaged", file=file, reason=str(found[0])[:200])
        revision = stored_revision(database) if ours else None
    except DatabaseError as error:
        raise StorageError("backup.damaged", file=file, reason=error) from error
    if revision is None:
        raise StorageError("backup.foreign", file=file)
    known = packaged_revisions()
    if revision not in known:
        raise StorageError("storage.newer", path=file, stored=revision, known=known[-1])
    return revision


def sealed_in(file: Path) -> list[bytes]:
    """The stored credentials of a copy, of whatever release, sealed as they are. Raises StorageError."""
    database = SqliteDatabase(file)
    try:
        with closing(database.connect(read_only=True)) as connection:
            if not has_table(database, connection, "credentials"):
                return []
            return [bytes(row[0]) for row in connection.execute("SELECT sealed FROM credentials")]
    except DatabaseError as error:
        raise StorageError("backup.damaged", file=file, reason=error) from error


def running_on(database: Database) -> list[Running]:
    """The gateways that work on the database. One of this machine is known by its process; any other by its last sign of life.
    Raises StorageError."""
    if database.identity() is None:
        return []
    try:
        with closing(database.connect(read_only=True)) as connection:
            if not has_table(database, connection, "processes"):
                return []
            rows = connection.execute("SELECT host, pid, beat_ms FROM processes").fetchall()
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error
    here, oldest_ms = this_host(), int(time.time() * 1000) - SILENT_MS
    return [
        Running(host.split(" ")[0], pid)
        for host, pid, beat_ms in rows
        if (_lives(pid) if host == here else beat_ms > oldest_ms)
    ]


def put_in_place(file: Path, home: Path, aside: str) -> Path | None:
    """Make a copy of `file` the database of `home`, and keep the one that was there under the name `aside`. Returns where that is
    now; None: there was none. Raises StorageError."""
    there, incoming, kept = home / FILE_NAME, home / f"{FILE_NAME}.incoming", home / aside
    with exclusive(home):
        incoming.unlink(missing_ok=True)
        copy_database(SqliteDatabase(file), incoming)
        try:
            with closing(sqlite3.connect(incoming)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")  # as the first start makes it, kept in the file
            if not there.exists():
                incoming.replace(there)
                return None
            with closing(sqlite3.connect(there)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error as error:
            incoming.unlink(missing_ok=True)
            raise StorageError("storage.failed", path=there, reason=error) from error
        for beside in _BESIDE:
            if (log := home / (FILE_NAME + beside)).exists():
                log.replace(home / (aside + beside))
        there.replace(kept)
        incoming.replace(there)
        return kept


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
