"""What the holder of a key may know of its money without being anybody's administrator: its own budgets, wallet and charges."""

from __future__ import annotations

import time

import msgspec

from anykey.accounts.keys import ApiKey
from anykey.administration.home import Home
from anykey.storage.charges import BudgetState
from anykey.storage.database import Connection
from anykey.storage.key_changes import reading
from anykey.storage.standing import ChargeRow, budget_states, find_charge
from anykey.storage.wallets import Balance, read_balance


class OwnAccount(msgspec.Struct, frozen=True):
    """`balance`: of the wallet that the key's calls are paid from; None where they are paid later, or nothing is kept of them.
    `budgets`: those that its calls must fit, from the organisation's to its own."""

    balance: Balance | None
    budgets: tuple[BudgetState, ...]


def account_of_key(home: Home, key: ApiKey) -> OwnAccount:
    """The money that the key's next call may use. Raises StorageError."""
    purse = key.purse
    if purse is None:
        return OwnAccount(None, ())

    def read(connection: Connection) -> OwnAccount:
        balance = read_balance(connection, purse.account) if purse.prepaid else None
        return OwnAccount(balance, budget_states(connection, purse.budgets, time.time_ns() // 1_000_000))

    return reading(home.database, read)


def charge_of_key(home: Home, charge_id: str, key_id: str) -> ChargeRow | None:
    """What the call with this id was charged; None where nothing is kept of it, or it was another key's."""
    found = reading(home.database, lambda connection: find_charge(connection, charge_id))
    return None if found is None or found.key_id != key_id else found
