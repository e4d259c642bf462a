"""What both databases do alike."""

from contextlib import closing

import pytest

from anykey.storage.database import Cursor, Database, has_table, whole
from anykey.storage.errors import BadValueError, ConstraintError, DatabaseError


def test_a_cursor_gives_each_row_once() -> None:
    cursor = Cursor([(1,), (2,), (3,)], 3)
    assert cursor.fetchone() == (1,)
    assert list(cursor) == [(2,), (3,)]
    assert (cursor.fetchone(), cursor.fetchall(), cursor.rowcount) == (None, [], 3)


def test_a_whole_is_kept_or_undone(database: Database) -> None:
    with closing(database.connect()) as connection:

        def put(*rows: tuple[str, str], then: int = 1) -> float:
            with whole(connection):
                for row in rows:
                    connection.execute("INSERT INTO installation (name, value) VALUES (?, ?)", row)
                return 1 / then

        put(("a", "1"))
        with pytest.raises(ConstraintError):
            put(("b", "2"), ("a", "3"))
        with pytest.raises(ZeroDivisionError):
            put(("c", "4"), then=0)
        assert connection.execute("SELECT name, value FROM installation").fetchall() == [("a", "1")]


def test_rows_are_counted_and_returned(database: Database) -> None:
    with closing(database.connect()) as connection:
        connection.executemany("INSERT INTO installation (name, value) VALUES (?, ?)", [("a", "1"), ("b", "1")])
        changed = connection.execute("UPDATE installation SET value = ? WHERE value = ? RETURNING name", ("2", "1"))
        assert (changed.rowcount, sorted(changed)) == (2, [("a",), ("b",)])
        assert connection.execute("DELETE FROM installation WHERE value = ?", ("1",)).rowcount == 0


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1])
def test_what_no_column_takes_is_told_apart(database: Database, value: int) -> None:
    with closing(database.connect()) as connection:
        with pytest.raises(BadValueError):
            connection.execute("UPDATE key_generation SET value = ?", (value,))
        with pytest.raises(BadValueError):
            connection.execute("INSERT INTO installation (name, value) VALUES ('x', ?)", ("\ud800",))
        with pytest.raises(ConstraintError):
            connection.execute("INSERT INTO installation (name, value) VALUES ('x', ?)", (None,))
        assert connection.execute("SELECT value FROM key_generation").fetchone() == (0,)


def test_a_closed_connection_says_so(database: Database) -> None:
    connection = database.connect()
    connection.close()
    connection.close()
    connection.rollback()
    with pytest.raises(DatabaseError) as told:
        connection.execute("SELECT 1")
    assert type(told.value) is DatabaseError


def test_tables_that_are_there(database: Database) -> None:
    with closing(database.connect()) as connection:
        assert has_table(database, connection, "exchanges")
        assert not has_table(database, connection, "EXCHANGES'; --")
