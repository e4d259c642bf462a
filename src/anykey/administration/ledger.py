"""The ledger, looked at and set right: check every sum, list what moved, and settle the calls whose outcome nobody knows."""

import csv
import time
from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from anykey.accounts.amounts import nano_of, usd_text
from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.tenants import note
from anykey.administration.wallets import which
from anykey.storage import ledger as stored
from anykey.storage.charges import Closing
from anykey.storage.database import Connection
from anykey.storage.ledger import LedgerEntry, OpenCharge, Totals
from anykey.storage.paging import LIMIT_DEFAULT, LIMIT_MAX, Page
from anykey.storage.settling import settle
from anykey.storage.writing import reading_whole, writing

FILE_BYTES_MAX = 64 * 1024 * 1024
COLUMNS = ("request_id", "amount")
Decision = Literal["estimate", "void"]


class Reconciled(msgspec.Struct, frozen=True):
    """What became of the unknown charges: how many were settled, for how much, how many voided, and which ids of a file were not
    unknown (any more)."""

    settled: int
    settled_nano: int
    voided: int
    left_out: tuple[str, ...] = ()


def verify(home: Home, *, actor: Actor = LOCAL) -> Totals:
    """Reckon all balances and budgets anew and compare. Calls go on meanwhile."""
    require(actor, "ledger:write", None)
    return reading_whole(home.database, stored.totals)


def list_entries(
    home: Home,
    organisation: str | None = None,
    *,
    cursor: str | None = None,
    limit: int = LIMIT_DEFAULT,
    actor: Actor = LOCAL,
) -> Page[LedgerEntry]:
    """What moved, the newest first: of the organisation (id or name), or of all that the actor may see."""
    only = which(home, organisation, actor)
    require(actor, "ledger:read", only)
    return stored.list_entries(home.database, only, cursor, limit)


def unsettled(
    home: Home,
    organisation: str | None = None,
    *,
    cursor: str | None = None,
    limit: int = LIMIT_DEFAULT,
    actor: Actor = LOCAL,
) -> Page[OpenCharge]:
    """The charges that are open or unknown, the oldest first."""
    only = which(home, organisation, actor)
    require(actor, "ledger:read", only)
    return stored.list_unsettled(home.database, only, cursor, limit)


def reconcile(
    home: Home,
    decision: Decision | Mapping[str, int],
    *,
    organisation: str | None = None,
    only: Iterable[str] | None = None,
    actor: Actor = LOCAL,
) -> Reconciled:
    """Settle unknown charges: each at its estimate, or none of them (`void`), or by what each came to in nano-USD (0: void).

    `organisation` (id or name) and `only` (ids) say which; None: all. Charges of calls that are under way are left alone.
    """
    tenant = which(home, organisation, actor)
    require(actor, "ledger:write", tenant)
    unknown = {charge.id: charge for charge in _unknown(home, tenant)}
    asked = list(decision) if isinstance(decision, Mapping) else list(unknown) if only is None else list(only)
    left_out = tuple(charge_id for charge_id in asked if charge_id not in unknown)
    now_ms = time.time_ns() // 1_000_000
    closings = [_closing(unknown[one], decision, now_ms) for one in dict.fromkeys(asked) if one in unknown]
    settled = [one for one in closings if one.state == "settled"]
    done = Reconciled(len(settled), sum(one.cost_nano for one in settled), len(closings) - len(settled), left_out)

    def change(connection: Connection) -> None:
        settle(connection, closings, late=True)
        told = {
            "decision": decision if isinstance(decision, str) else "amounts",
            "settled": {one.charge_id: usd_text(one.cost_nano) for one in settled},
            "voided": [one.charge_id for one in closings if one.state == "void"],
        }
        note(connection, actor, "ledger.reconcile", ("charges", tenant or "all", tenant), (None, told))

    if closings:
        writing(home.database, change)
    return done


def read_amounts(lines: Iterable[str]) -> dict[str, int]:
    """The nano-USD of each request in a CSV of `request_id,amount` (USD; a heading is skipped). Raises AdministrationError."""
    amounts: dict[str, int] = {}
    for number, row in enumerate(csv.reader(lines), 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and tuple(cells) == COLUMNS):
            continue
        try:
            charge_id, amount = cells
            amounts[charge_id] = nano_of(amount)
        except ValueError:
            raise AdministrationError("ledger.bad_line", number=number, columns=",".join(COLUMNS)) from None
    return amounts


def _unknown(home: Home, organisation: str | None) -> Iterable[OpenCharge]:
    cursor: str | None = None
    while True:
        page = stored.list_unsettled(home.database, organisation, cursor, LIMIT_MAX)
        yield from (charge for charge in page.items if charge.state == "unknown")
        cursor = page.next
        if cursor is None:
            return


def _closing(charge: OpenCharge, decision: Decision | Mapping[str, int], now_ms: int) -> Closing:
    if isinstance(decision, Mapping):
        cost, basis = decision[charge.id], "upstream"
    else:
        cost, basis = (charge.reserved_nano if decision == "estimate" else 0), "estimated"
    return Closing(
        charge_id=charge.id,
        state="settled" if cost else "void",
        cost_nano=cost,
        basis=basis if cost else "free",
        price_id=None,
        lines=None,
        at_ms=now_ms,
    )
