"""The ledger as a whole, on both databases: right after anything the till does, wrong after anything else."""

from contextlib import closing

import pytest

from anykey.storage.charge_folding import fold_charges
from anykey.storage.database import Database, whole
from anykey.storage.ledger import Totals, list_entries, list_unsettled, totals
from anykey.storage.till import Till
from anykey.storage.writing import reading_whole
from tests.fakes.charges import NOON_MS, ask, budget, ending, fill, keep, opening, purse

LIMITS = budget(10**6), budget(10**6, "5h")


@pytest.fixture
async def busy(database: Database) -> Database:
    keep(database, *LIMITS)
    fill(database, 1000)
    till = Till(database, clock_ms=lambda: NOON_MS, watched=False)
    for name, prepaid in (("a", True), ("b", True), ("c", True), ("d", False), ("e", True)):
        await till.open(opening(name, purse(*LIMITS, prepaid=prepaid), 100))
    for end in (ending("a", 60), ending("b", 2000), ending("c", state="void"), ending("d", 40)):
        till.close(end)
    await till.aclose()
    return database


def checked(database: Database) -> Totals:
    return reading_whole(database, totals)


async def test_it_is_right_after_the_till(busy: Database) -> None:
    found = checked(busy)
    assert found.broken == []
    assert (found.settled_nano, found.collected_nano) == (2100, 60 + 840 + 40)
    assert found.charges == {"settled": 3, "void": 1, "open": 1}
    names = [one.account for one in found.balances]
    assert names == ["cash", "credit:default", "postpaid:default", "revenue"]


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE balances SET debits_posted = debits_posted + 1 WHERE account = 'cash'", {"balanced", "debits_posted"}),
        ("UPDATE balances SET debits_pending = debits_pending - 1 WHERE kind = 'credit'", {"debits_pending"}),
        ("UPDATE budgets SET held_nano = 7 WHERE period = '5h'", {"held"}),
        ("UPDATE budgets SET spent_nano = 7", {"spent"}),
        ("DELETE FROM budget_slices", {"spent"}),
        ("DELETE FROM transfers", {"debits_posted", "credits_posted"}),
        (
            "UPDATE charges SET cost_nano = cost_nano + 1 WHERE id = 'a'",
            {"debits_posted", "credits_posted", "spent", "usage"},
        ),
        ("UPDATE exchanges SET cost_nano = 0 WHERE id = 'a'", {"usage"}),
    ],
)
async def test_whatever_is_changed_is_found(busy: Database, statement: str, broken: set[str]) -> None:
    with closing(busy.connect()) as connection:
        connection.execute(statement)
    assert {rule.rule for rule in checked(busy).broken} == broken


async def test_folding_keeps_the_sums(busy: Database) -> None:
    def fold(most: int) -> int:
        with closing(busy.connect()) as connection, whole(connection):
            return fold_charges(connection, NOON_MS + 1, NOON_MS + 5, most)

    before = [one.kept for one in checked(busy).balances]
    assert [fold(2), fold(100), fold(100)] == [2, 2, 0]
    found = checked(busy)
    assert found.broken == []
    assert [one.kept for one in found.balances] == before
    assert found.charges == {"open": 1}
    assert ask(busy, "SELECT SUM(amount_nano) FROM transfers WHERE kind = 'calls'") == [(940,)]


async def test_entries_are_transfers_and_paid_calls(busy: Database) -> None:
    page = list_entries(busy, None, None, 2)
    rest = list_entries(busy, "default", page.next, 10)
    found = [(one.id, one.kind, one.amount_nano) for one in (*page.items, *rest.items)]
    assert found == [("t0", "topup", 1000), ("d", "call", 40), ("b", "call", 840), ("a", "call", 60)]
    assert rest.next is None
    assert list_entries(busy, "other").items == ()


async def test_what_is_not_settled(busy: Database) -> None:
    (charge,) = list_unsettled(busy, None).items
    assert (charge.id, charge.state, charge.reserved_nano, charge.account) == ("e", "open", 100, "credit:default")
    assert list_unsettled(busy, "other").items == ()


async def test_an_empty_ledger_is_right(database: Database) -> None:
    found = checked(database)
    assert found.broken == []
    assert found.balances == ()
