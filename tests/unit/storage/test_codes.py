"""Codes as rows, on both databases."""

import threading
from contextlib import closing

import msgspec

from anykey.storage.codes import (
    CodeRow,
    find_code,
    insert_codes,
    list_codes,
    note_use,
    revoke_codes,
    use_code,
)
from anykey.storage.database import Database, whole

ROW = CodeRow(
    id="c1",
    batch="b",
    digest=b"1" * 32,
    last4="WXYZ",
    amount_nano=5,
    bonus=True,
    uses_max=2,
    expires_at=100,
    created_at=1,
    created_by="x",
    note=None,
)


def kept(database: Database, *rows: CodeRow) -> None:
    with closing(database.connect()) as connection, whole(connection):
        insert_codes(connection, list(rows))


def test_a_row_comes_back_as_it_was(database: Database) -> None:
    other = msgspec.structs.replace(ROW, id="c2", digest=b"2" * 32, batch="d", bonus=False, created_at=2)
    kept(database, ROW, other)
    assert list_codes(database, None).items == (other, ROW)
    assert list_codes(database, "b").items == (ROW,)
    with closing(database.connect()) as connection:
        assert find_code(connection, ROW.digest) == ROW
        assert find_code(connection, bytes(32)) is None


def test_only_a_code_in_force_is_used(database: Database) -> None:
    kept(database, ROW, msgspec.structs.replace(ROW, id="c2", digest=b"2" * 32))
    with closing(database.connect()) as connection:
        used = use_code(connection, ROW.digest, 99)
        assert used is not None
        assert (used.id, used.amount_nano, used.bonus) == ("c1", 5, True)
        assert use_code(connection, ROW.digest, 100) is None
        assert revoke_codes(connection, "b", 50) == ["c1", "c2"]
        assert revoke_codes(connection, "c1", 50) == []
        assert use_code(connection, b"2" * 32, 1) is None
        assert note_use(connection, ("c1", "a", 1, "t"))
        assert not note_use(connection, ("c1", "a", 2, "t"))
        assert note_use(connection, ("c1", "b", 2, "t"))


def test_no_use_too_many(database: Database) -> None:
    kept(database, ROW)
    found: list[object] = []

    def use() -> None:
        with closing(database.connect()) as connection:
            found.append(use_code(connection, ROW.digest, 1))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one is not None for one in found) == 2
