"""Adds calls up: those of an hour when it is over, and hours of a day when that is. Sums stay when single calls are forgotten.

Law: hours are added up in their order, so one mark says how far; so are days. Behind the mark every hour that has calls has its
sums, unless it is noted as changed (usage_late.py): whoever asks takes the calls themselves for those, for the time before a
mark of a clock that was wrong, and for all that is younger. So a sum is always that of the calls, to the last one.
"""

from contextlib import closing

from anykey.storage.database import Connection, Database, whole
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.usage_columns import NUMBERS, OF_CALL, SUMS, TEXTS
from anykey.storage.usage_late import HOUR_MS, LATE_AFTER_MS

DAY_MS = 24 * HOUR_MS
SETTLED_AFTER_MS = LATE_AFTER_MS + 180_000
"""An hour is added up this long after its end. Between the two lies what clocks of machines and a slow transaction may differ."""

_GROUPS = (*TEXTS, *NUMBERS)
_POSITIONS = ", ".join(str(2 + place) for place in range(len(_GROUPS)))


def _adding(table: str, source: str, groups: list[str], sums: list[str]) -> str:
    into = f"INSERT INTO {table} (at, {', '.join((*_GROUPS, *SUMS))})"
    what = f"SELECT CAST(? AS BIGINT), {', '.join(groups)}, {', '.join(f'SUM({one})' for one in sums)}"
    return f"{into} {what} FROM {source} WHERE at >= ? AND at < ? GROUP BY 1, {_POSITIONS}"


_ADD_HOUR = _adding("usage_hours", "exchanges", [OF_CALL[name] for name in _GROUPS], list(SUMS.values()))
_ADD_DAY = _adding("usage_days", "usage_hours", list(_GROUPS), list(SUMS))
_TAKE = "UPDATE usage_marks SET at = at WHERE name = 'hours'"
_MARKS = "SELECT name, at FROM usage_marks"
_MOVE = "UPDATE usage_marks SET at = ? WHERE name = ?"
_NEXT_LATE = "SELECT min(at) FROM usage_late WHERE at >= ? AND at < ?"
_NEXT_CALL = "SELECT min(at) FROM exchanges WHERE at >= ?"
_NEXT_HOUR = "SELECT min(at) FROM usage_hours WHERE at >= ?"
_OLDER_CALLS = "DELETE FROM exchanges WHERE id IN (SELECT id FROM exchanges WHERE at < ? ORDER BY at LIMIT ?)"


class Marks:
    """How far it is added up at `now_ms`: every hour before `hours_ms`, every day before `days_ms`; single calls are complete
    from `calls_ms` on. All are Unix ms. An hour that is not over does not count as added up; `ahead`: a wrong clock did it."""

    def __init__(self, connection: Connection, now_ms: int) -> None:
        kept = dict(connection.execute(_MARKS))
        over_ms = max((now_ms - SETTLED_AFTER_MS) // HOUR_MS * HOUR_MS, 0)
        self.hours_ms: int = min(kept["hours"], over_ms)
        self.days_ms: int = min(kept["days"], self.hours_ms // DAY_MS * DAY_MS)
        self.calls_ms: int = kept["calls"]
        self.ahead = kept["hours"] > over_ms


def add_up_next(database: Database, now_ms: int) -> bool:
    """Add up one hour, or one day, in a transaction of its own; False: there is nothing to be done. Raises StorageError."""
    try:
        with closing(database.connect()) as connection:
            if _next(connection, Marks(connection, now_ms), now_ms) is None:
                return False  # found out without holding anybody up
            with whole(connection):
                connection.execute(_TAKE)
                marks = Marks(connection, now_ms)
                found = _next(connection, marks, now_ms)
                if found is not None:
                    _add_up(connection, marks, *found)
            return found is not None
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def forget_calls(connection: Connection, before_ms: int, now_ms: int, most: int) -> int:
    """Delete up to `most` calls that are older than `before_ms` and added up, the oldest first; returns how many went."""
    connection.execute(_TAKE)
    marks = Marks(connection, now_ms)
    until_ms = min(before_ms // HOUR_MS * HOUR_MS, marks.hours_ms)
    late = connection.execute(_NEXT_LATE, (marks.calls_ms, until_ms)).fetchone()[0]
    until_ms = until_ms if late is None else late
    gone = connection.execute(_OLDER_CALLS, (until_ms, most)).rowcount
    if gone and until_ms > marks.calls_ms:
        connection.execute(_MOVE, (until_ms, "calls"))
    return gone


def _next(connection: Connection, marks: Marks, now_ms: int) -> tuple[str, int] | None:
    """What is to be done, and with the period that begins when: go `back` to it, add a `late` hour up again, or the next one of
    `hours` or `days`."""
    if marks.ahead:
        return ("back", marks.hours_ms)
    late = connection.execute(_NEXT_LATE, (0, marks.hours_ms)).fetchone()[0]
    if late is not None:
        return ("late", late)
    hour = connection.execute(_NEXT_HOUR, (marks.days_ms,)).fetchone()[0]
    if hour is not None and hour // DAY_MS * DAY_MS + DAY_MS <= marks.hours_ms:
        return ("days", hour // DAY_MS * DAY_MS)
    call = connection.execute(_NEXT_CALL, (marks.hours_ms,)).fetchone()[0]
    if call is not None and call // HOUR_MS * HOUR_MS + HOUR_MS + SETTLED_AFTER_MS <= now_ms:
        return ("hours", call // HOUR_MS * HOUR_MS)
    return None


def _add_up(connection: Connection, marks: Marks, what: str, at: int) -> None:
    if what == "back":
        connection.execute(_MOVE, (marks.hours_ms, "hours"))
        connection.execute(_MOVE, (marks.days_ms, "days"))
    elif what == "days":
        _make(connection, "usage_days", _ADD_DAY, at, DAY_MS)
        connection.execute(_MOVE, (at + DAY_MS, "days"))
    else:
        connection.execute("DELETE FROM usage_late WHERE at = ?", (at,))
        if at >= marks.calls_ms:  # else its calls are forgotten: what was added up is what there is
            _make(connection, "usage_hours", _ADD_HOUR, at, HOUR_MS)
        if what == "hours":
            connection.execute(_MOVE, (at + HOUR_MS, "hours"))
        elif at < marks.days_ms:
            _make(connection, "usage_days", _ADD_DAY, at // DAY_MS * DAY_MS, DAY_MS)


def _make(connection: Connection, table: str, adding: str, at: int, length_ms: int) -> None:
    connection.execute(f"DELETE FROM {table} WHERE at = ?", (at,))  # noqa: S608 - our own two names
    connection.execute(adding, (at, at, at + length_ms))
