"""Notes of hours that changed after they were over, so that what was added up of them does not count until it is made anew.

Law: whoever writes or changes a call notes its hour in the same transaction, where that hour may have been added up already. A
note is a row that is only added, so it locks nothing that another waits for. The job takes the notes away before it adds the
hour up: one that comes meanwhile stays, and the hour is added up once more.
"""

import time
from collections.abc import Iterable

from anykey.storage.database import Connection

HOUR_MS = 3_600_000
LATE_AFTER_MS = 120_000
"""An hour is added up some minutes after its end (usage_rollup.py); what is written this long after the end is noted."""

_NOTE = "INSERT INTO usage_late (at) VALUES (?)"
_NOTE_OF_CALL = f"INSERT INTO usage_late (at) SELECT at / {HOUR_MS} * {HOUR_MS} FROM exchanges WHERE id = ?"  # noqa: S608 - a number


def note_late(connection: Connection, times_ms: Iterable[int]) -> None:
    """Note the hours of those calls, by when they began (Unix ms), that may be added up already."""
    over_ms = (int(time.time() * 1000) - LATE_AFTER_MS) // HOUR_MS * HOUR_MS
    late = [at for at in times_ms if at < over_ms]
    for hour in sorted({at - at % HOUR_MS for at in late}):
        connection.execute(_NOTE, (hour,))


def note_changed(connection: Connection, request_id: str) -> None:
    """Note the hour of a call that is about to be changed or deleted; nothing where there is no such call."""
    connection.execute(_NOTE_OF_CALL, (request_id,))
