"""Money that moves outside of calls: paid in, given, paid back, corrected. Each is one transfer between two accounts.

Functions on a connection work in the transaction that it is in. A transfer is never changed; a mistake is another transfer.
"""

from typing import Literal

import msgspec
from sqlalchemy import select

from anykey.accounts.ledger import CREDIT, kind_of, organisation_of
from anykey.storage.database import Connection, Database
from anykey.storage.engine import transaction
from anykey.storage.paging import Page, one_page, page_from
from anykey.storage.schema import transfers

Kind = Literal["topup", "bonus", "refund", "adjustment", "code", "calls"]
"""`calls`: settled charges that were folded into one transfer when they grew old (charge_retention.py)."""

POSTED_NANO_MAX = 4 * 10**18
"""All that ever went into an account, or out of it: 4,000,000,000 USD. One transfer more still fits into 64 bits."""

_COLUMNS = "id, at, kind, debit, credit, amount_nano, organisation, reference, actor, note"
_INSERT = f"""INSERT INTO transfers ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (reference) DO NOTHING RETURNING id"""  # noqa: S608 - our own words
_BY_REFERENCE = f"SELECT {_COLUMNS} FROM transfers WHERE reference = ?"  # noqa: S608 - our own words
_DEBIT = """INSERT INTO balances (account, kind, organisation, debits_posted) VALUES (?, ?, ?, ?)
ON CONFLICT (account) DO UPDATE SET debits_posted = balances.debits_posted + excluded.debits_posted
WHERE balances.debits_posted + excluded.debits_posted <= ? RETURNING account"""
_CREDIT = """INSERT INTO balances (account, kind, organisation, credits_posted) VALUES (?, ?, ?, ?)
ON CONFLICT (account) DO UPDATE SET credits_posted = balances.credits_posted + excluded.credits_posted
WHERE balances.credits_posted + excluded.credits_posted <= ? RETURNING account"""
_TAKE = """UPDATE balances SET debits_posted = debits_posted + ?
WHERE account = ? AND credits_posted - debits_posted - debits_pending >= ?"""
_BALANCE = "SELECT debits_pending, debits_posted, credits_posted FROM balances WHERE account = ?"


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """`amount_nano` went from the account `debit` to the account `credit`. `at` is Unix milliseconds. `reference` is a name from
    outside, such as a payment's: there is one transfer for each."""

    id: str
    at: int
    kind: Kind
    debit: str
    credit: str
    amount_nano: int
    organisation: str | None
    reference: str | None = None
    actor: str
    note: str | None = None


class Balance(msgspec.Struct, frozen=True):
    """An account: what is posted on it (a wallet's is what it has, one that is paid later says what is owed, negative), and what
    of that is held for calls under way."""

    account: str
    posted_nano: int = 0
    held_nano: int = 0

    @property
    def available_nano(self) -> int:
        """What can still be held or taken."""
        return self.posted_nano - self.held_nano


class NotEnough(Exception):
    """The wallet has less than is to be taken from it."""


class TooMuch(Exception):
    """The account would have seen more than its numbers hold."""


def post(connection: Connection, transfer: Transfer) -> Transfer | None:
    """Move the money. Returns the transfer that has the same reference already, if there is one, and then moves nothing.

    Raises NotEnough or TooMuch.
    """
    if connection.execute(_INSERT, msgspec.structs.astuple(transfer)).fetchone() is None:
        row = connection.execute(_BY_REFERENCE, (transfer.reference,)).fetchone()
        return Transfer(**dict(zip(Transfer.__struct_fields__, row, strict=True)))
    sides = ((transfer.debit, _DEBIT), (transfer.credit, _CREDIT))
    for account, statement in sorted(sides):  # in the till's order, so that nobody waits in a circle
        kind, amount = kind_of(account), transfer.amount_nano
        if kind == CREDIT and account == transfer.debit:
            if connection.execute(_TAKE, (amount, account, amount)).rowcount != 1:
                raise NotEnough(account)
            continue
        values = (account, kind, organisation_of(account), amount, POSTED_NANO_MAX)
        if connection.execute(statement, values).fetchone() is None:
            raise TooMuch(account)
    return None


def read_balance(connection: Connection, account: str) -> Balance:
    """The account as it is; an empty one where nothing was ever posted."""
    row = connection.execute(_BALANCE, (account,)).fetchone()
    return Balance(account) if row is None else Balance(account, row[2] - row[1], row[0])


def list_transfers(
    database: Database, organisation: str | None, cursor: str | None = None, limit: int = 100
) -> Page[Transfer]:
    """The newest first; `organisation` None: of all."""
    query = select(transfers)
    if organisation is not None:
        query = query.where(transfers.c.organisation == organisation)
    paged = one_page(query, (transfers.c.at, transfers.c.id), cursor, limit, descending=True)
    with transaction(database) as connection:
        rows = [Transfer(**row) for row in connection.execute(paged).mappings()]
    return page_from(rows, lambda row: (row.at, row.id), limit)
