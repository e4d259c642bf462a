"""Adding up beside those who write: what changes meanwhile is never lost."""

from contextlib import closing

import msgspec
import pytest

from anykey.storage import usage_rollup
from anykey.storage.database import Connection, Database
from anykey.storage.usage_question import UsageQuestion
from anykey.storage.usage_report import ask_usage
from anykey.storage.usage_rollup import Marks, add_up_next
from tests.unit.storage.test_usage_report import NOW_MS, ROWS
from tests.unit.storage.usage_calls import HOUR_MS, add_up, write


def count(database: Database) -> int:
    return ask_usage(database, UsageQuestion(), NOW_MS).sums[0].exchanges


def test_a_call_that_comes_while_its_hour_is_added_up(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the adding and the writing, and once more in the same hour when that is made good."""
    write(database, ROWS[:50])
    late = [msgspec.structs.replace(ROWS[0], id=f"late{number}") for number in range(40)]
    looked_at = usage_rollup._looked_at  # pyright: ignore[reportPrivateUsage] - that moment is not to be had otherwise

    def looking(connection: Connection, now_ms: int) -> object:
        piece = looked_at(connection, now_ms)
        if late and piece is not None:
            write(database, [late.pop()])
        return piece

    monkeypatch.setattr(usage_rollup, "_looked_at", looking)
    while add_up_next(database, NOW_MS):
        assert count(database) == 50 + 40 - len(late)
    assert not late
    assert count(database) == 90


def test_marks_go_up_to_the_last_hour_that_is_over(database: Database) -> None:
    write(database, ROWS)
    with closing(database.connect()) as connection:
        assert (Marks(connection, NOW_MS).hours_ms, Marks(connection, NOW_MS).days_ms) == (0, 0)
        add_up(database, NOW_MS)
        marks = Marks(connection, NOW_MS)
        assert marks.hours_ms == max(row.at // HOUR_MS for row in ROWS if row.at < NOW_MS - HOUR_MS) * HOUR_MS + HOUR_MS
        assert marks.days_ms % (24 * HOUR_MS) == 0
        assert not marks.ahead
        assert Marks(connection, NOW_MS - 48 * HOUR_MS).ahead


def test_of_two_that_do_it_at_once_one_counts(database: Database) -> None:
    write(database, ROWS)
    with closing(database.connect()) as connection:
        piece = usage_rollup._looked_at(connection, NOW_MS)  # pyright: ignore[reportPrivateUsage]
        assert piece is not None
    assert add_up_next(database, NOW_MS)
    with closing(database.connect()) as connection:
        usage_rollup._keep(connection, piece, NOW_MS)  # pyright: ignore[reportPrivateUsage]
        hours = connection.execute("SELECT sum(exchanges) FROM usage_hours").fetchone()[0]
    assert hours == sum(row.at // HOUR_MS == piece.at // HOUR_MS for row in ROWS)
