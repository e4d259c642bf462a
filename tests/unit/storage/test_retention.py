"""Every table has a rule; what is over goes in batches, and the sums stay right."""

import time
from contextlib import closing

import pytest

import anykey.storage.retention as module
from anykey.storage.database import Database, whole
from anykey.storage.ledger import totals
from anykey.storage.retention import DAY_MS, RULES, count_rows, sweep_table
from anykey.storage.schema import metadata
from anykey.storage.till import Till
from anykey.storage.usage_rollup import add_up_next
from anykey.storage.writer import insert_rows
from tests.fakes.charges import ask, ending, fill, opening, purse, states, usage_row


def test_every_table_has_a_rule() -> None:
    assert set(RULES) == set(metadata.tables)
    assert all((rule.keeps == "days") == (rule.period is not None) for rule in RULES.values())
    assert all(rule.sweep is None for rule in RULES.values() if rule.keeps == "always")


def ids(database: Database, table: str, column: str = "id") -> set[str]:
    return {row[0] for row in ask(database, f"SELECT {column} FROM {table}")}


def now_ms() -> int:
    return int(time.time() * 1000)


def test_calls_go_after_their_days_in_batches(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    with closing(database.connect()) as connection, whole(connection):
        old = [usage_row(f"old{n}", at_ms=now_ms() - 91 * DAY_MS) for n in range(8)]
        insert_rows(connection, [*old, usage_row("new", at_ms=now_ms() - 89 * DAY_MS)])
    assert sweep_table(database, "exchanges", 90, pause_s=0) == 0  # what is not added up yet stays
    while add_up_next(database, now_ms()):
        pass
    assert sweep_table(database, "exchanges", 0, pause_s=0) == 0
    asked: list[bool] = []

    def once() -> bool:
        asked.append(True)
        return len(asked) < 2

    assert 0 < sweep_table(database, "exchanges", 90, pause_s=0, may_go_on=once) <= 3
    sweep_table(database, "exchanges", 90, pause_s=0)
    assert ids(database, "exchanges") == {"new"}
    assert count_rows(database)["exchanges"] == 1


async def test_old_charges_are_folded_and_the_ledger_stays_right(database: Database) -> None:
    fill(database, 1000)
    spends = purse(prepaid=True)
    till = Till(database)
    for number in range(5):
        old = now_ms() - 400 * DAY_MS if number < 3 else now_ms()
        await till.open(opening(f"c{number}", spends, 100, at_ms=old))
        if number != 2:
            till.close(ending(f"c{number}", 10 + number, at_ms=old))
    await till.aclose()
    assert sweep_table(database, "charges", 0, pause_s=0) == 0
    assert sweep_table(database, "charges", 365, pause_s=0) == 2
    assert set(states(database)) == {"c2", "c3", "c4"}  # what is not settled stays, however old
    with closing(database.connect()) as connection:
        assert not totals(connection).broken
    assert ask(database, "SELECT amount_nano FROM transfers WHERE kind = 'calls'") == [(21,)]


def test_what_was_told_goes_and_what_is_to_be_told_stays(database: Database) -> None:
    add = "INSERT INTO deliveries (id, webhook_id, event, body, at, next_at) VALUES (?, 'w', 'e', '{}', ?, ?)"
    with closing(database.connect()) as connection, whole(connection):
        for name, at, next_at in (("told", 0, None), ("due", 0, 5), ("young", now_ms(), None)):
            connection.execute(add, (name, at, next_at))
    assert sweep_table(database, "deliveries", 30, pause_s=0) == 1
    assert ids(database, "deliveries") == {"due", "young"}


def test_rows_with_an_end_of_their_own_go_by_it(database: Database) -> None:
    ago, soon = now_ms() - 2 * DAY_MS, now_ms() + DAY_MS
    health = """INSERT INTO health (deployment, credential, state, until_ms, reason, changed_ms, changed_by)
VALUES (?, '', 'open', ?, '', 0, '')"""
    named = """INSERT INTO idempotency (key_id, name, digest, state, process, request_id, at, expires_at)
VALUES ('k', ?, ?, 'whole', 'p', 'r', 0, ?)"""
    with closing(database.connect()) as connection, whole(connection):
        for name, until in (("gone", ago), ("here", soon)):
            connection.execute(health, (name, until))
            connection.execute("INSERT INTO rate_windows (id, slice_ms, used) VALUES (?, ?, 1)", (name, until))
            connection.execute(
                "INSERT INTO rate_leases (id, process, held, until_ms) VALUES (?, 'p', 1, ?)", (name, until)
            )
            connection.execute(
                "INSERT INTO processes (id, host, pid, started_ms, beat_ms) VALUES (?, 'h', 1, 0, ?)", (name, until)
            )
            connection.execute(named, (name, b"", until // 1000))
            connection.execute("INSERT INTO conversations VALUES ('k', ?, 0, ?, '{}')", (name, until // 1000))
        connection.execute("INSERT INTO rate_windows (id, slice_ms, used) VALUES ('lock', 0, 0)")
        connection.execute("INSERT INTO health VALUES ('refused', '', 'refused', NULL, '', 0, '')")
    for table in ("health", "rate_windows", "rate_leases", "processes", "idempotency", "conversations"):
        assert sweep_table(database, table, 0, pause_s=0) == 1, table
    assert ids(database, "health", "deployment") == {"here", "refused"}
    assert ids(database, "rate_windows") == {"here", "lock"}
    assert ids(database, "processes") == ids(database, "rate_leases") == ids(database, "conversations") == {"here"}
    assert ids(database, "idempotency", "name") == {"here"}


async def test_a_process_with_an_open_charge_is_not_forgotten(database: Database) -> None:
    till = Till(database)
    await till.open(opening("c", purse(), 0))
    ask_process = ask(database, "SELECT process FROM charges")
    await till.aclose()
    with closing(database.connect()) as connection:
        connection.execute("UPDATE charges SET state = 'open', process = 'dead'")
        connection.execute("DELETE FROM processes")
        for name in ("dead", "idle"):
            connection.execute(
                "INSERT INTO processes (id, host, pid, started_ms, beat_ms) VALUES (?, 'h', 1, 0, 0)", (name,)
            )
    assert ask_process
    assert sweep_table(database, "processes", 0, pause_s=0) == 1
    assert ids(database, "processes") == {"dead"}


@pytest.mark.parametrize("table", ["transfers", "audit", "api_keys"])
def test_what_is_kept_always_is_never_swept(database: Database, table: str) -> None:
    fill(database, 5)
    assert sweep_table(database, table, 1, pause_s=0) == 0
    assert len(ask(database, "SELECT 1 FROM transfers")) == 1
