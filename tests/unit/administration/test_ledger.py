"""Checking the ledger, and settling what nobody knows."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from anykey.accounts.permissions import Actor, Forbidden
from anykey.administration import ledger
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home, prepare_home
from anykey.administration.organisations import create_organisation
from anykey.storage.processes import give_up
from anykey.storage.till import Till
from tests.fakes.charges import NOON_MS, ask, budget, ending, fill, keep, opening, purse, states, used, wallet

LIMIT = budget(10**6)


@pytest.fixture
async def home(tmp_path: Path) -> Home:
    """Three unknown charges of 100 and one that was settled."""
    made = prepare_home(tmp_path)
    keep(made.database, LIMIT)
    fill(made.database, 1000)
    till = Till(made.database, clock_ms=lambda: NOON_MS, watched=False)
    for name in "abcd":
        await till.open(opening(name, purse(LIMIT, prepaid=True), 100))
    till.close(ending("d", 10))
    await till.aclose()
    with closing(made.database.connect()) as connection:
        give_up(connection, till.process_id)
    return made


def refusal(act: Callable[[], object]) -> str:
    with pytest.raises(AdministrationError) as refused:
        act()
    return refused.value.code


def rows(home: Home) -> dict[str, tuple[object, ...]]:
    return {row[0]: row[1:] for row in ask(home.database, "SELECT id, cost_nano, cost_basis FROM exchanges")}


async def test_at_the_estimate(home: Home) -> None:
    assert [charge.id for charge in ledger.unsettled(home).items] == ["a", "b", "c"]
    done = ledger.reconcile(home, "estimate")
    assert (done.settled, done.settled_nano, done.voided) == (3, 300, 0)
    assert wallet(home.database) == (690, 0)
    assert used(home.database, LIMIT) == (310, 0)
    assert rows(home)["a"] == (100, "estimated")
    assert ledger.verify(home).broken == []
    assert ledger.reconcile(home, "estimate").settled == 0
    assert ask(home.database, "SELECT COUNT(*) FROM audit WHERE action = 'ledger.reconcile'") == [(1,)]


async def test_at_nothing_and_only_some(home: Home) -> None:
    done = ledger.reconcile(home, "void", only=["b", "d", "zzz"])
    assert (done.voided, done.left_out) == (1, ("d", "zzz"))
    assert states(home.database) == {"a": "unknown", "b": "void", "c": "unknown", "d": "settled"}
    assert rows(home)["b"] == (0, "free")
    assert ledger.verify(home).broken == []


async def test_by_what_each_came_to(home: Home) -> None:
    amounts = ledger.read_amounts(["request_id,amount\n", "a,0.00000013\n", "\n", "b, 0\n", "zzz,1\n"])
    assert amounts == {"a": 130, "b": 0, "zzz": 10**9}
    done = ledger.reconcile(home, amounts)
    assert (done.settled_nano, done.settled, done.voided, done.left_out) == (130, 1, 1, ("zzz",))
    assert wallet(home.database) == (860, 100)
    assert ledger.verify(home).broken == []


@pytest.mark.parametrize("line", ["a", "a,1,2", "a,-1", "a,1e3", ",1,"])
def test_a_line_that_cannot_be_meant(line: str) -> None:
    assert refusal(lambda: ledger.read_amounts(["x,1", line])) == "ledger.bad_line"


async def test_who_may(home: Home) -> None:
    org = create_organisation(home, "acme")
    owner, viewer = Actor("key:1", "owner", org.id), Actor("key:2", "viewer", org.id)
    with pytest.raises(Forbidden):
        ledger.verify(home, actor=owner)
    with pytest.raises(Forbidden):
        ledger.reconcile(home, "void", actor=owner)
    with pytest.raises(Forbidden):
        ledger.list_entries(home, actor=viewer)
    assert ledger.list_entries(home, actor=owner).items == ()
    assert ledger.unsettled(home, actor=owner).items == ()
    assert refusal(lambda: ledger.list_entries(home, "default", actor=owner)) == "organisations.not_found"
    assert len(ledger.list_entries(home).items) == 2
