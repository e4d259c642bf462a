"""Purses, budgets and wallets for tests, put straight into the database, and what became of them."""

from contextlib import closing
from typing import Any

from anykey.accounts.ledger import CASH
from anykey.accounts.purse import Budget, OwnerKind, Period, Purse, account_of, budget_id
from anykey.storage.charges import Basis, Closing, Ending, Opening
from anykey.storage.database import Database, whole
from anykey.storage.records import ExchangeRow

NOON_MS = 1_800_000_000_000


def budget(limit_nano: int, period: Period = "lifetime", owner: str = "k", kind: OwnerKind = "key") -> Budget:
    return Budget(budget_id(kind, owner, period), kind, owner, period, limit_nano)


def purse(*budgets: Budget, prepaid: bool = False, organisation: str = "default") -> Purse:
    account = account_of(organisation, prepaid=prepaid)
    return Purse(organisation, None, None, account, prepaid, budgets, (), metered=True)


def keep(database: Database, *budgets: Budget) -> None:
    """Put these limits into force."""
    with closing(database.connect()) as connection, whole(connection):
        for one in budgets:
            connection.execute(
                "INSERT INTO budgets (id, owner_kind, owner, period, limit_nano) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET limit_nano = excluded.limit_nano",
                (one.id, one.owner_kind, one.owner, one.period, one.limit_nano),
            )


def fill(database: Database, amount_nano: int, organisation: str = "default") -> None:
    """Pay into a wallet."""
    account = f"credit:{organisation}"
    with closing(database.connect()) as connection, whole(connection):
        count = connection.execute("SELECT COUNT(*) FROM transfers").fetchone()[0]
        connection.execute(
            "INSERT INTO transfers (id, at, kind, debit, credit, amount_nano, organisation, actor) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (f"t{count}", NOON_MS, "topup", CASH, account, amount_nano, organisation, "test"),
        )
        for name, kind, debit, credit in ((CASH, CASH, amount_nano, 0), (account, "credit", 0, amount_nano)):
            connection.execute(
                "INSERT INTO balances (account, kind, organisation, debits_posted, credits_posted) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (account) DO UPDATE SET debits_posted = balances.debits_posted + excluded.debits_posted, "
                "credits_posted = balances.credits_posted + excluded.credits_posted",
                (name, kind, None if kind == CASH else organisation, debit, credit),
            )


def opening(charge_id: str, spends: Purse, estimate_nano: int, at_ms: int = NOON_MS) -> Opening:
    return Opening(
        charge_id=charge_id,
        at_ms=at_ms,
        key_id="k",
        purse=spends,
        client="curl",
        client_protocol="openai_chat",
        model="m",
        deployment="d",
        price_id="card/v1",
        estimate_nano=estimate_nano,
    )


def usage_row(charge_id: str, cost_nano: int | None = None, at_ms: int = NOON_MS) -> ExchangeRow:
    return ExchangeRow(
        id=charge_id,
        at=at_ms,
        key_id="k",
        client="curl",
        client_protocol="openai_chat",
        model_asked="m",
        stream=False,
        attempts=1,
        status=200,
        total_ms=5,
        cost_nano=cost_nano,
    )


def ending(
    charge_id: str, cost_nano: int = 0, state: Ending = "settled", at_ms: int = NOON_MS, *, row: bool = True
) -> Closing:
    basis: dict[Ending, Basis] = {"settled": "upstream", "void": "free", "unknown": "unknown"}
    cost = cost_nano if state == "settled" else None
    return Closing(
        charge_id=charge_id,
        state=state,
        cost_nano=cost_nano,
        basis=basis[state],
        price_id=None,
        lines="[]",
        at_ms=at_ms,
        row=usage_row(charge_id, cost) if row else None,
    )


def ask(database: Database, statement: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(database.connect()) as connection:
        return connection.execute(statement, values).fetchall()


def states(database: Database) -> dict[str, str]:
    return dict(ask(database, "SELECT id, state FROM charges"))  # pyright: ignore[reportArgumentType] - pairs


def used(database: Database, one: Budget) -> tuple[Any, ...]:
    """What of a budget is (spent, held)."""
    return ask(database, "SELECT spent_nano, held_nano FROM budgets WHERE id = ?", one.id)[0]


def wallet(database: Database, organisation: str = "default") -> tuple[Any, ...]:
    """What of a wallet is (posted, held)."""
    return ask(
        database,
        "SELECT credits_posted - debits_posted, debits_pending FROM balances WHERE account = ?",
        f"credit:{organisation}",
    )[0]
