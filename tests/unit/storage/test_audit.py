"""The audit log: in the transaction of the change, and whole or found out."""

import threading
from contextlib import closing

import pytest
from sqlalchemy import text

from anykey.storage import audit
from anykey.storage.audit import Chain, Deed, append, hash_of, newest, verify
from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.key_changes import changing_keys, reading

DEED = Deed(
    actor="cli:ada",
    action="keys.update",
    target_kind="key",
    target="röd",
    organisation="org_1",
    before={"name": "ü", "b": 1},
    after={"name": None},
)
PLAIN = Deed(actor="cli", action="configs.delete", target_kind="config", target="c")


def write(database: Database, *deeds: Deed) -> None:
    for deed in deeds:
        changing_keys(database, lambda connection, deed=deed: append(connection, deed, 1_000))


def tamper(database: Database, statement: str) -> None:
    with transaction(database) as connection:
        connection.execute(text(statement))


def test_an_empty_log_is_whole(database: Database) -> None:
    assert reading(database, verify) == Chain(0, bytes(32))


def test_entries_follow_each_other_from_either_kind_of_connection(database: Database) -> None:
    write(database, DEED)
    with transaction(database) as connection:
        append(connection, PLAIN)
        assert verify(connection).entries == 2
    second, first = reading(database, lambda connection: newest(connection, None, None, 10))
    assert (first.seq, first.at, first.before, first.after) == (1, 1_000, '{"b":1,"name":"ü"}', '{"name":null}')
    assert (second.seq, second.previous, second.organisation, second.before) == (2, first.hash, None, None)
    assert hash_of(first) == first.hash
    assert reading(database, verify) == Chain(2, second.hash)


def test_the_newest_are_read_of_one_organisation_before_a_number(database: Database) -> None:
    write(database, DEED, PLAIN, DEED, DEED)

    def numbers(organisation: str | None, before: int | None, limit: int) -> list[int]:
        entries = reading(database, lambda connection: newest(connection, organisation, before, limit))
        return [entry.seq for entry in entries]

    assert numbers(None, None, 3) == [4, 3, 2]
    assert numbers("org_1", 4, 5) == [3, 1]
    assert numbers("org_2", None, 5) == []


def test_an_entry_is_undone_with_its_change(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        changing_keys(database, lambda connection: (append(connection, DEED), 1 // 0))
    write(database, PLAIN)
    assert reading(database, verify).entries == 1


def test_a_change_is_undone_where_its_entry_cannot_be_written(database: Database) -> None:
    tamper(database, "DROP TABLE audit_head")

    def change(connection: audit.Executes) -> None:
        connection.execute("INSERT INTO key_uses (key_id, last_at) VALUES (?, ?)", ("k", 1))
        append(connection, DEED)

    with pytest.raises(Exception, match=r"."):
        changing_keys(database, change)
    assert reading(database, lambda connection: connection.execute("SELECT * FROM key_uses").fetchall()) == []


COLUMNS = {
    "seq": "9",
    "at": "at + 1",
    "actor": "'eve'",
    "action": "'keys.create'",
    "target_kind": "'team'",
    "target": "'x'",
    "organisation": "NULL",
    "before": "'{}'",
    "after": "NULL",
    "previous": "(SELECT hash FROM audit_head)",
    "hash": "(SELECT hash FROM audit_head)",
}


def test_every_column_is_tried() -> None:
    assert ", ".join(COLUMNS) == audit.COLUMNS


def test_any_altered_value_is_found(database: Database) -> None:
    write(database, DEED, DEED, DEED)
    with closing(database.connect()) as connection:
        for column, value in COLUMNS.items():
            for seq in (1, 2, 3):
                other = "previous" if (column, seq) == ("hash", 3) else value
                connection.begin()
                connection.execute(f"UPDATE audit SET {column} = {other} WHERE seq = {seq}")
                chain = verify(connection)
                connection.rollback()
                assert (chain.entries, chain.broken_at) == (seq - 1, seq), column
        assert verify(connection).broken_at is None


@pytest.mark.parametrize(
    ("statement", "broken_at", "reason"),
    [
        ("DELETE FROM audit WHERE seq = 2", 2, "missing"),
        ("DELETE FROM audit WHERE seq = 3", 3, "cut"),
        ("DELETE FROM audit", 1, "cut"),
        ("UPDATE audit_head SET seq = 2", 2, "altered"),
        ("DELETE FROM audit_head", 4, "cut"),
        ("UPDATE audit_head SET hash = (SELECT hash FROM audit WHERE seq = 1)", 3, "altered"),
    ],
)
def test_what_is_taken_out_or_cut_off_is_found(database: Database, statement: str, broken_at: int, reason: str) -> None:
    write(database, DEED, DEED, DEED)
    tamper(database, statement)
    chain = reading(database, verify)
    assert (chain.broken_at, chain.reason) == (broken_at, reason)


def test_a_line_forged_from_end_to_end_does_not_have_the_head_that_was_kept(database: Database) -> None:
    write(database, DEED, DEED)
    kept = reading(database, verify)
    write(database, DEED)
    assert reading(database, lambda connection: verify(connection, (kept.entries, kept.head))).broken_at is None
    for statement in ("DELETE FROM audit", "DELETE FROM audit_head"):
        tamper(database, statement)
    head = "INSERT INTO audit_head (seq, hash) VALUES (?, ?)"
    changing_keys(database, lambda connection: connection.execute(head, (0, bytes(32))))
    write(database, PLAIN, PLAIN, PLAIN)
    assert reading(database, verify).broken_at is None
    assert reading(database, lambda connection: verify(connection, (kept.entries, kept.head))).broken_at == 2
    assert reading(database, lambda connection: verify(connection, (9, kept.head))).reason == "cut"


def test_a_long_log_is_walked_in_pieces(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit, "BATCH", 2)
    write(database, *[DEED] * 5)
    assert reading(database, verify).entries == 5


def test_entries_written_at_the_same_time_are_one_line(database: Database) -> None:
    """Two connections: the second waits for the first."""

    def many() -> None:
        write(database, *[DEED] * 10)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reading(database, verify) == Chain(40, reading(database, lambda c: newest(c, None, None, 1))[0].hash)
