"""Stored rate cards: versions, the generation, the audit log, and what the snapshot is given."""

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from anykey.accounts.written_cards import Scope
from anykey.providers.rate_cards import TokenRates
from anykey.storage.database import Database
from anykey.storage.errors import StorageError
from anykey.storage.rate_cards import Draft, load_cards, put_cards, read_cards, withdraw_card
from anykey.storage.sqlite_database import SqliteDatabase

ONE, TWO = '{"input":"1"}', '{"input":"2"}'
OPUS = Scope("opus", "anthropic")


def generation(database: Database) -> int:
    with closing(database.connect()) as connection:
        return connection.execute("SELECT value FROM configuration_generation").fetchone()[0]


def audited(database: Database) -> list[tuple[str, str, str]]:
    with closing(database.connect()) as connection:
        return [tuple(row) for row in connection.execute("SELECT actor, action, target FROM audit ORDER BY seq")]


def put(database: Database, *drafts: Draft, now: int = 10) -> list[tuple[str, bool]]:
    return [(row.reference, new) for row, new in put_cards(database, drafts, "cli", now)]


def test_each_change_is_a_version_counts_the_generation_up_and_is_audited(database: Database) -> None:
    before = generation(database)
    assert put(database, Draft(OPUS, ONE, "a"), Draft(Scope("m"), ONE, "a")) == [
        ("opus@anthropic/v1", True),
        ("m/v1", True),
    ]
    assert generation(database) == before + 1
    assert put(database, Draft(OPUS, ONE, "a"), now=20) == [("opus@anthropic/v1", False)]
    assert generation(database) == before + 1
    assert put(database, Draft(OPUS, TWO, "a", effective_from=99), now=20) == [("opus@anthropic/v2", True)]
    assert put(database, Draft(OPUS, TWO, "a", effective_from=99), now=30) == [("opus@anthropic/v2", False)]
    assert put(database, Draft(OPUS, TWO, "a", effective_from=98), now=30) == [("opus@anthropic/v3", True)]
    rows = read_cards(database, "opus@anthropic")
    assert [(row.version, row.effective_from, row.created_at, row.created_by) for row in rows] == [
        (1, 10, 10, "cli"),
        (2, 99, 20, "cli"),
        (3, 98, 30, "cli"),
    ]
    assert audited(database) == [
        ("cli", "rate_cards.put", target)
        for target in ("opus@anthropic/v1", "m/v1", "opus@anthropic/v2", "opus@anthropic/v3")
    ]


def test_a_withdrawn_card_is_not_sold_by_and_its_version_is_not_given_again(database: Database) -> None:
    put(database, Draft(OPUS, ONE, "a"))
    put(database, Draft(OPUS, TWO, "a"))
    before = generation(database)
    assert withdraw_card(database, "opus@anthropic", 2, "cli", 20)
    assert not withdraw_card(database, "opus@anthropic", 2, "cli", 20)
    assert not withdraw_card(database, "opus", 1, "cli", 20)
    assert generation(database) == before + 1
    assert [row.version for row in read_cards(database)] == [1]
    assert [row.withdrawn_at for row in read_cards(database, withdrawn=True)] == [None, 20]
    assert put(database, Draft(OPUS, TWO, "a")) == [("opus@anthropic/v3", True)]
    assert audited(database)[-2:] == [
        ("cli", "rate_cards.withdraw", "opus@anthropic/v2"),
        ("cli", "rate_cards.put", "opus@anthropic/v3"),
    ]


def test_the_snapshot_gets_cards_and_one_of_another_release_is_left_out(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    put(database, Draft(Scope("m", None, "coding", "eu", "flex"), ONE, "a", 5), Draft(OPUS, '{"per_byte":"1"}', "a"))
    with caplog.at_level(logging.WARNING):
        (card,) = load_cards(database)
    assert "opus@anthropic/v1" in caplog.text
    assert (card.id, card.lane, card.region, card.tier, card.effective_from, card.tokens) == (
        "m;lane=coding;region=eu;tier=flex/v1",
        *("coding", "eu", "flex", 5),
        TokenRates(input=1_000_000),
    )


def test_all_cards_of_a_file_are_kept_or_none(database: Database) -> None:
    with pytest.raises(StorageError):
        put(database, Draft(OPUS, ONE, "a"), Draft(Scope("m"), ONE, "a", effective_from=1 << 70))
    assert read_cards(database) == []
    assert audited(database) == []


def test_two_who_put_at_once_do_not_count_to_the_same_version(database: Database) -> None:
    def many(name: str) -> None:
        for turn in range(5):
            put_cards(database, [Draft(OPUS, f'{{"input":"{turn}"}}', name)], name, 10)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(many, ("a", "b")))
    rows = read_cards(database)
    assert [row.version for row in rows] == list(range(1, 11))
    assert {row.created_by for row in rows} == {"a", "b"}
    assert len(audited(database)) == 10


def test_without_a_database_there_are_none(file: SqliteDatabase) -> None:
    file.path.unlink()
    assert read_cards(file) == []
