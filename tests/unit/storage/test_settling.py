"""Settlements, statement by statement."""

from contextlib import closing

from anykey.accounts.ledger import slice_of
from anykey.storage.charges import Closing
from anykey.storage.database import Database, whole
from anykey.storage.settling import Spent, settle
from anykey.storage.till import Till
from tests.fakes.charges import NOON_MS, ask, budget, ending, fill, keep, opening, purse, states, used, wallet


async def opened(database: Database, *names: str, prepaid: bool = True) -> None:
    limit = budget(1000, "5h")
    keep(database, limit)
    till = Till(database, clock_ms=lambda: NOON_MS)
    for name in names:
        await till.open(opening(name, purse(limit, prepaid=prepaid), 10))
    await till.aclose()


def settled(database: Database, *closings: Closing, late: bool = False) -> list[Spent]:
    with closing(database.connect()) as connection, whole(connection):
        return settle(connection, closings, late=late)


async def test_what_it_did_is_told_for_alerts(database: Database) -> None:
    fill(database, 100)
    await opened(database, "a", "b")
    told = settled(database, ending("a", 4), ending("b", 12))
    assert told == [
        Spent("key:k:5h", "key", "k", 1000, 0, 16),
        Spent("credit:default", "organisation", "default", None, 100, 84),
    ]
    assert settled(database, ending("a", 4)) == []
    assert settled(database) == []


async def test_spends_are_kept_by_the_slice_they_ended_in(database: Database) -> None:
    await opened(database, "a", "b", "c", prepaid=False)
    later = NOON_MS + 3_600_000
    settled(database, ending("a", 4, at_ms=later), ending("b", 5), ending("c", 6, at_ms=later + 1))
    slices = [(slice_of("5h", NOON_MS), 5), (slice_of("5h", later), 10)]
    assert ask(database, "SELECT slice_ms, spent_nano FROM budget_slices ORDER BY slice_ms") == slices
    assert ask(database, "SELECT oldest_ms FROM budgets") == [(slices[0][0],)]
    assert ask(database, "SELECT account, debits_posted, credits_posted FROM balances ORDER BY account") == [
        ("postpaid:default", 15, 0),
        ("revenue", 0, 15),
    ]


async def test_two_ends_of_one_charge_in_one_go_are_one(database: Database) -> None:
    fill(database, 100)
    await opened(database, "a")
    settled(database, ending("a", 4), ending("a", 6))
    assert wallet(database) == (94, 0)


async def test_a_late_end_is_for_what_is_unknown_only(database: Database) -> None:
    fill(database, 100)
    await opened(database, "a", "b")
    settled(database, ending("b", state="unknown"))
    settled(database, ending("a", 4), ending("b", 5), late=True)
    assert states(database) == {"a": "open", "b": "settled"}
    assert wallet(database) == (95, 10)


async def test_a_limit_that_was_forgotten_does_not_stop_the_till(database: Database) -> None:
    await opened(database, "a", prepaid=False)
    with closing(database.connect()) as connection:
        connection.execute("UPDATE budgets SET held_nano = 0")
    settled(database, ending("a", 4))
    assert used(database, budget(1000, "5h")) == (4, 0)
