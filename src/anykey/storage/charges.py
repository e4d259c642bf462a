"""What is asked of the till, and what it answers. Amounts are nano-USD, times Unix milliseconds."""

from typing import Literal, NamedTuple

import msgspec

from anykey.accounts.ledger import Basis
from anykey.accounts.purse import Budget, Purse
from anykey.storage.records import ExchangeRow

Ending = Literal["settled", "void", "unknown"]


class Opening(msgspec.Struct, kw_only=True):
    """The money of a call that is about to begin. `charge_id` is the request's id; `estimate_nano` the most it may cost."""

    charge_id: str
    at_ms: int
    key_id: str
    purse: Purse
    client: str
    client_protocol: str
    model: str
    deployment: str | None
    price_id: str | None
    estimate_nano: int


class BudgetState(NamedTuple):
    """How much of a budget is used. `resets_ms`: in a refusal, when enough will be free at the earliest (None: never by
    itself); in an answer, when the oldest spend leaves the window (None: nothing will)."""

    budget: Budget
    spent_nano: int
    held_nano: int
    resets_ms: int | None


class Opened(msgspec.Struct):
    """The estimate is held. `budgets` as they are now, in the purse's order; `credit_nano` is what else the wallet has (None:
    not prepaid)."""

    budgets: tuple[BudgetState, ...]
    credit_nano: int | None


class Refused(msgspec.Struct):
    """It did not fit, and nothing is held. `credit`: the wallet has too little; else `state` is the first budget that is too
    full. `available_nano` is what would have fitted."""

    credit: bool
    state: BudgetState | None
    needed_nano: int
    available_nano: int


class Closing(msgspec.Struct, kw_only=True):
    """What a call came to. `row` is its usage row, written in the same transaction (None: there is one already); `lines` is the
    JSON of the bill's lines."""

    charge_id: str
    state: Ending
    cost_nano: int
    basis: Basis
    price_id: str | None
    lines: str | None
    at_ms: int
    row: ExchangeRow | None = None


class TillDown(Exception):
    """The database does not answer, so nothing can be held."""
