"""Old charges become one transfer for each account; that the sums stay is shown where the whole ledger is checked."""

from contextlib import closing

from anykey.storage.charge_folding import fold_charges
from anykey.storage.database import Database, whole
from anykey.storage.till import Till
from tests.fakes.charges import NOON_MS, ask, ending, fill, opening, purse, states


async def test_each_account_has_its_own_transfer(database: Database) -> None:
    for organisation in ("one", "two"):
        fill(database, 1000, organisation)
    till = Till(database, clock_ms=lambda: NOON_MS, watched=False)
    for name, organisation, cost in (("a", "one", 5), ("b", "one", 7), ("c", "two", 11), ("free", "two", 0)):
        await till.open(opening(name, purse(prepaid=True, organisation=organisation), 100))
        till.close(ending(name, cost, state="settled" if cost else "void"))
    await till.open(opening("open", purse(prepaid=True, organisation="one"), 100))
    await till.aclose()
    with closing(database.connect()) as connection, whole(connection):
        assert fold_charges(connection, NOON_MS, NOON_MS, 10) == 0  # none of them is older
        assert fold_charges(connection, NOON_MS + 1, NOON_MS + 9, 10) == 4
    assert set(states(database)) == {"open"}
    query = (
        "SELECT debit, credit, amount_nano, organisation, actor, at FROM transfers WHERE kind = 'calls' ORDER BY debit"
    )
    assert ask(database, query) == [
        ("credit:one", "revenue", 12, "one", "retention", NOON_MS + 9),
        ("credit:two", "revenue", 11, "two", "retention", NOON_MS + 9),
    ]
