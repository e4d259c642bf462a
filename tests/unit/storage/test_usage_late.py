"""Hours that changed after they were over are noted, others are not."""

import time
from contextlib import closing

import msgspec

from anykey.storage.database import Database, whole
from anykey.storage.usage_late import HOUR_MS, LATE_AFTER_MS, note_changed, note_late
from tests.unit.storage.test_exchanges import FIRST, SECOND
from tests.unit.storage.usage_calls import write


def noted(database: Database) -> list[int]:
    with closing(database.connect()) as connection:
        return [row[0] for row in connection.execute("SELECT at FROM usage_late ORDER BY at")]


def test_only_what_is_over_long_enough_is_noted(database: Database) -> None:
    now = int(time.time() * 1000)
    hour = now - now % HOUR_MS
    last = hour - HOUR_MS - LATE_AFTER_MS
    with closing(database.connect()) as connection, whole(connection):
        note_late(connection, [now, hour, last, last + 1, HOUR_MS + 5, HOUR_MS + 6])
    assert noted(database) == [HOUR_MS, last - last % HOUR_MS]


def test_who_writes_a_call_late_notes_it(database: Database) -> None:
    write(database, [FIRST, SECOND, msgspec.structs.replace(FIRST, id="now", at=int(time.time() * 1000))])
    assert noted(database) == [FIRST.at - FIRST.at % HOUR_MS, SECOND.at - SECOND.at % HOUR_MS]


def test_a_change_is_noted_where_there_is_such_a_call(database: Database) -> None:
    write(database, [FIRST])
    with closing(database.connect()) as connection, whole(connection):
        connection.execute("DELETE FROM usage_late")
        note_changed(connection, "none")
        note_changed(connection, FIRST.id)
    assert noted(database) == [FIRST.at - FIRST.at % HOUR_MS]
