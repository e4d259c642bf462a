"""SQLite's files as a power cut may leave them.

The gateway stands still while they are copied, so the copy is one moment of the disk. What had been synced survives a power
cut, and SQLite syncs the log before it copies any of it into the database: so frames that a checkpoint has begun to copy stay,
and the log is cut, or overwritten by garbage, anywhere behind them.
https://www.sqlite.org/walformat.html says where the shared-memory file has that number.
"""

import os
import random
import shutil
import sqlite3
import struct
from contextlib import closing
from pathlib import Path

_WAL_HEADER, _FRAME_HEADER = 32, 24
_BACKFILL_ATTEMPTED_AT = 128


def torn_copy(database: Path, target: Path) -> int:
    """Copy a database that nobody writes at this moment into the folder `target`, its log torn at a random byte: how many
    bytes of the log are gone."""
    target.mkdir()
    copy = target / database.name
    shutil.copyfile(database, copy)
    wal, shared = (database.with_name(database.name + end) for end in ("-wal", "-shm"))
    if not wal.exists():
        return 0
    log = wal.read_bytes()
    kept = _tear(log, _copied_bytes(log, shared.read_bytes() if shared.exists() else b""))
    copy.with_name(wal.name).write_bytes(kept)
    return len(log) - len(kept)


def _tear(log: bytes, first: int) -> bytes:
    """The log up to a random byte from `first` on; one time in two with garbage behind it."""
    cut = random.randint(min(first, len(log)), len(log))
    return log[:cut] + (os.urandom(random.randint(0, len(log) - cut)) if random.random() < 0.5 else b"")


def _copied_bytes(log: bytes, shared: bytes) -> int:
    """How much of the log may be in the database already."""
    if len(log) < _WAL_HEADER:
        return 0
    page_bytes: int = struct.unpack_from(">I", log, 8)[0]
    frames: int = struct.unpack_from("=I", shared, _BACKFILL_ATTEMPTED_AT)[0] if len(shared) > 136 else 0
    return _WAL_HEADER + frames * (_FRAME_HEADER + page_bytes)


def integrity(database: Path) -> str:
    """What SQLite says of a file after it has read what is left of the log: `ok`, or what is broken."""
    with closing(sqlite3.connect(database)) as file:
        told: str = file.execute("PRAGMA integrity_check").fetchone()[0]
        return told
