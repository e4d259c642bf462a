"""Adds calls up: those of an hour when it is over, and hours of a day when that is. Sums stay when single calls are forgotten.

Law: hours are added up in their order, so one mark says how far; so are days. Behind the mark every hour that has calls has its
sums, unless it is noted as changed (usage_late.py): whoever asks takes the calls themselves for those, for the time before a
mark of a clock that was wrong, and for all that is younger. So a sum is always that of the calls, to the last one.

Adding up is done while others write: only what it came to is written under a lock, unless something was noted meanwhile.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from anykey.storage.database import Connection, Database
from anykey.storage.usage_columns import NUMBERS, OF_CALL, SUMS, TEXTS
from anykey.storage.usage_late import HOUR_MS, LATE_AFTER_MS
from anykey.storage.writing import reading_whole, writing

DAY_MS = 24 * HOUR_MS
SETTLED_AFTER_MS = LATE_AFTER_MS + 180_000
"""An hour is added up this long after its end. Between the two lies what clocks of machines and a slow transaction may differ."""

_GROUPS = (*TEXTS, *NUMBERS)
_POSITIONS = ", ".join(str(1 + place) for place in range(len(_GROUPS)))


def _adding(source: str, groups: list[str], sums: list[str]) -> str:
    what = f"SELECT {', '.join((*groups, *(f'SUM({one})' for one in sums)))}"
    return f"{what} FROM {source} WHERE at >= ? AND at < ? GROUP BY {_POSITIONS}"


def _keeping(table: str) -> str:
    columns = ("at", *_GROUPS, *SUMS)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own


_ADD_CALLS = _adding("exchanges", [OF_CALL[name] for name in _GROUPS], list(SUMS.values()))
_ADD_HOURS = _adding("usage_hours", list(_GROUPS), list(SUMS))
_KEEP_HOUR, _KEEP_DAY = _keeping("usage_hours"), _keeping("usage_days")
_TAKE = "UPDATE usage_marks SET at = at WHERE name = 'hours'"
_MARKS = "SELECT name, at FROM usage_marks"
_MOVE = "UPDATE usage_marks SET at = ? WHERE name = ?"
_NOTES = "SELECT count(*) FROM usage_late WHERE at = ?"
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


class _Piece(NamedTuple):
    """What is to be done next: `back`, go back to a mark; `late`, add an hour up again; `hours` or `days`, the next one of those.
    `notes` are those of it, `rows` what it came to, as far as this was looked at."""

    what: Literal["back", "late", "hours", "days"]
    at: int
    notes: int = 0
    rows: Sequence[tuple[object, ...]] = ()


def add_up_next(database: Database, now_ms: int) -> bool:
    """Add up one hour, or one day; False: there is nothing to be done. Raises StorageError."""
    piece = reading_whole(database, lambda connection: _looked_at(connection, now_ms))
    if piece is None:
        return False
    writing(database, lambda connection: _keep(connection, piece, now_ms))
    return True


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


def _next(connection: Connection, marks: Marks, now_ms: int) -> _Piece | None:
    if marks.ahead:
        return _Piece("back", marks.hours_ms)
    late = connection.execute(_NEXT_LATE, (0, marks.hours_ms)).fetchone()[0]
    if late is not None:
        return _Piece("late", late)
    hour = connection.execute(_NEXT_HOUR, (marks.days_ms,)).fetchone()[0]
    if hour is not None and hour // DAY_MS * DAY_MS + DAY_MS <= marks.hours_ms:
        return _Piece("days", hour // DAY_MS * DAY_MS)
    call = connection.execute(_NEXT_CALL, (marks.hours_ms,)).fetchone()[0]
    if call is not None and call // HOUR_MS * HOUR_MS + HOUR_MS + SETTLED_AFTER_MS <= now_ms:
        return _Piece("hours", call // HOUR_MS * HOUR_MS)
    return None


def _looked_at(connection: Connection, now_ms: int) -> _Piece | None:
    """The next piece, added up."""
    marks = Marks(connection, now_ms)
    piece = _next(connection, marks, now_ms)
    if piece is None or piece.what == "back":
        return piece
    if piece.what == "days":
        return piece._replace(rows=connection.execute(_ADD_HOURS, (piece.at, piece.at + DAY_MS)).fetchall())
    notes = connection.execute(_NOTES, (piece.at,)).fetchone()[0]
    rows = connection.execute(_ADD_CALLS, (piece.at, piece.at + HOUR_MS)).fetchall()
    return piece._replace(notes=notes, rows=rows)


def _keep(connection: Connection, piece: _Piece, now_ms: int) -> None:
    """Write it down, if it is still what there is to do and nothing of it changed. A note that comes while a day is written, or
    after an hour's were taken away, stays."""
    connection.execute(_TAKE)
    marks = Marks(connection, now_ms)
    if _next(connection, marks, now_ms) != (piece.what, piece.at, 0, ()):
        return
    if piece.what == "back":
        connection.execute(_MOVE, (marks.hours_ms, "hours"))
        connection.execute(_MOVE, (marks.days_ms, "days"))
        return
    if piece.what == "days":
        _replace(connection, "usage_days", _KEEP_DAY, piece)
        connection.execute(_MOVE, (piece.at + DAY_MS, "days"))
        return
    if connection.execute("DELETE FROM usage_late WHERE at = ?", (piece.at,)).rowcount != piece.notes:
        connection.execute("INSERT INTO usage_late (at) VALUES (?)", (piece.at,))  # it changed meanwhile: once more
        return
    if piece.what == "late" and piece.at < marks.calls_ms:
        return  # its calls are forgotten: what was added up is what there is
    _replace(connection, "usage_hours", _KEEP_HOUR, piece)
    if piece.what == "hours":
        connection.execute(_MOVE, (piece.at + HOUR_MS, "hours"))
    elif piece.at < marks.days_ms:
        connection.execute(_MOVE, (piece.at // DAY_MS * DAY_MS, "days"))


def _replace(connection: Connection, table: str, keeping: str, piece: _Piece) -> None:
    connection.execute(f"DELETE FROM {table} WHERE at = ?", (piece.at,))  # noqa: S608 - our own two names
    connection.executemany(keeping, [(piece.at, *row) for row in piece.rows])
