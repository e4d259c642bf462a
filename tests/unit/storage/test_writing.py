"""Changes of money are whole, and what is read of them is of one moment."""

from contextlib import closing

import pytest

from anykey.storage.database import Connection, Database
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.writing import reading_whole, writing
from tests.fakes.charges import ask

_ADD = "INSERT INTO key_uses (key_id, last_at) VALUES (?, ?)"
_COUNT = "SELECT COUNT(*) FROM key_uses"


def test_a_change_is_kept_whole_or_not_at_all(database: Database) -> None:
    def fails(connection: Connection) -> None:
        connection.execute(_ADD, ("b", 1))
        raise ZeroDivisionError

    assert writing(database, lambda connection: connection.execute(_ADD, ("a", 1)).rowcount) == 1
    with pytest.raises(ZeroDivisionError):
        writing(database, fails)
    with pytest.raises(StorageError, match=r"(?i)unique"):
        writing(database, lambda connection: connection.execute(_ADD, ("a", 2)))
    assert ask(database, "SELECT key_id, last_at FROM key_uses") == [("a", 1)]


def test_a_reader_sees_one_moment_and_writes_nothing(database: Database) -> None:
    def read(connection: Connection) -> tuple[int, int]:
        before = connection.execute(_COUNT).fetchone()[0]
        with closing(database.connect()) as other:
            other.execute(_ADD, ("a", 1))
        return before, connection.execute(_COUNT).fetchone()[0]

    assert reading_whole(database, read) == (0, 0)
    assert ask(database, _COUNT) == [(1,)]
    with pytest.raises(StorageError) as failed:
        reading_whole(database, lambda connection: connection.execute(_ADD, ("b", 1)))
    assert isinstance(failed.value.__cause__, DatabaseError)
