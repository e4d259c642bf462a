"""Money in and out of wallets: pay in, give, pay back, correct; say what there is. Only operators move money.

No payment provider is inside: whoever takes the payment tells it here, by the CLI, the admin API or a signed call
(topup_signature.py). A reference makes that safe to repeat: one transfer for each, and another amount under it is an error.
"""

import secrets
import time
from typing import Literal

import msgspec

from anykey.accounts.amounts import AMOUNT_NANO_MAX, usd_text
from anykey.accounts.ledger import BONUS, CASH, WRITEOFF
from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.accounts.purse import account_of
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.tenants import note, organisation_for
from anykey.storage import wallets as stored
from anykey.storage.database import Connection
from anykey.storage.key_changes import reading
from anykey.storage.organisations import OrganisationRow
from anykey.storage.paging import LIMIT_DEFAULT, Page
from anykey.storage.wallets import Kind, NotEnough, TooMuch, Transfer
from anykey.storage.writing import writing

REFERENCE_LENGTH_MAX, NOTE_LENGTH_MAX = 200, 500
RESERVED_REFERENCE = "code:"
Direction = Literal["in", "out"]


class Posted(msgspec.Struct, frozen=True):
    """A transfer; `new` is False where its reference was known, so that nothing moved now."""

    transfer: Transfer
    new: bool


class Wallet(msgspec.Struct, frozen=True):
    """What an organisation has. Where it is not `prepaid` its calls take nothing of it, and `owed_nano` is what they came to.
    Amounts in nano-USD."""

    organisation: str
    name: str
    prepaid: bool
    balance_nano: int
    held_nano: int
    available_nano: int
    owed_nano: int


class Said(msgspec.Struct, frozen=True):
    """What is kept with a transfer: a name from outside that makes it unique, and a note."""

    reference: str | None = None
    note: str | None = None


NOTHING_SAID = Said()


def top_up(
    home: Home, organisation: str, amount_nano: int, *, said: Said = NOTHING_SAID, actor: Actor = LOCAL
) -> Posted:
    """Note that the organisation (id or name) paid this in. Its wallet has it at once."""
    return _move(home, organisation, ("topup", "in", CASH), amount_nano, said, actor)


def give_bonus(
    home: Home, organisation: str, amount_nano: int, *, said: Said = NOTHING_SAID, actor: Actor = LOCAL
) -> Posted:
    """Give the organisation credit that nobody paid for."""
    return _move(home, organisation, ("bonus", "in", BONUS), amount_nano, said, actor)


def refund(
    home: Home, organisation: str, amount_nano: int, *, said: Said = NOTHING_SAID, actor: Actor = LOCAL
) -> Posted:
    """Note that the organisation was paid back; its wallet must have it."""
    return _move(home, organisation, ("refund", "out", CASH), amount_nano, said, actor)


def adjust(
    home: Home,
    organisation: str,
    amount_nano: int,
    direction: Direction,
    *,
    said: Said = NOTHING_SAID,
    actor: Actor = LOCAL,
) -> Posted:
    """Correct a wallet, up (`in`) or down (`out`), at our cost."""
    return _move(home, organisation, ("adjustment", direction, WRITEOFF), amount_nano, said, actor)


def balance_of(home: Home, organisation: str | None = None, *, actor: Actor = LOCAL) -> Wallet:
    """What the organisation (id or name; None: the actor's own) has."""

    def read(connection: Connection) -> Wallet:
        row = organisation_for(connection, organisation or actor.organisation or "default", actor)
        require(actor, "wallets:read", row.id)
        return _wallet(connection, row)

    return reading(home.database, read)


def list_transfers(
    home: Home,
    organisation: str | None = None,
    *,
    cursor: str | None = None,
    limit: int = LIMIT_DEFAULT,
    actor: Actor = LOCAL,
) -> Page[Transfer]:
    """Transfers, the newest first: of the organisation, or of all that the actor may see."""
    only = which(home, organisation, actor)
    return stored.list_transfers(home.database, only, cursor, limit)


def which(home: Home, organisation: str | None, actor: Actor) -> str | None:
    """The id of the organisation whose money is asked for; None: of all, which is an operator's question."""
    if organisation is None and actor.organisation is None:
        require(actor, "wallets:read", None)
        return None

    def read(connection: Connection) -> str:
        row = organisation_for(connection, organisation or actor.organisation or "", actor)
        require(actor, "wallets:read", row.id)
        return row.id

    return reading(home.database, read)


def good_amount(amount_nano: int) -> int:
    """The amount, above 0 and not absurd. Raises AdministrationError."""
    if not 0 < amount_nano <= AMOUNT_NANO_MAX:
        raise AdministrationError("wallets.bad_amount", max=usd_text(AMOUNT_NANO_MAX))
    return amount_nano


def new_transfer(
    organisation: str, route: tuple[Kind, Direction, str], amount_nano: int, said: Said, actor: Actor
) -> Transfer:
    """A transfer between the organisation's wallet and the account of `route` (what it is, in or out, with whom)."""
    kind, direction, other = route
    wallet = account_of(organisation, prepaid=True)
    debit, credit = (other, wallet) if direction == "in" else (wallet, other)
    return Transfer(
        id=f"tr_{secrets.token_hex(12)}",
        at=time.time_ns() // 1_000_000,
        kind=kind,
        debit=debit,
        credit=credit,
        amount_nano=amount_nano,
        organisation=organisation,
        reference=said.reference,
        actor=actor.name,
        note=said.note,
    )


def _move(
    home: Home, organisation: str, route: tuple[Kind, Direction, str], amount_nano: int, said: Said, actor: Actor
) -> Posted:
    said = _checked(said)

    def change(connection: Connection) -> Posted:
        row = organisation_for(connection, organisation, actor)
        require(actor, "wallets:write", row.id)
        transfer = new_transfer(row.id, route, good_amount(amount_nano), said, actor)
        try:
            known = stored.post(connection, transfer)
        except NotEnough:
            available = usd_text(stored.read_balance(connection, transfer.debit).available_nano)
            raise AdministrationError("wallets.not_enough", organisation=row.name, available=available) from None
        except TooMuch:
            raise AdministrationError("wallets.too_much", max=usd_text(stored.POSTED_NANO_MAX)) from None
        if known is None:
            told = {"amount": usd_text(amount_nano), "reference": said.reference, "note": said.note}
            note(connection, actor, f"wallets.{route[0]}", ("transfer", transfer.id, row.id), (None, told))
            return Posted(transfer, new=True)
        same = (known.kind, known.debit, known.credit, known.amount_nano)
        if same != (transfer.kind, transfer.debit, transfer.credit, transfer.amount_nano):
            raise AdministrationError("wallets.other_transfer", reference=said.reference, id=known.id)
        return Posted(known, new=False)

    return writing(home.database, change)


def _checked(said: Said) -> Said:
    reference = said.reference or None
    if reference is not None and not (
        len(reference) <= REFERENCE_LENGTH_MAX
        and reference.isprintable()
        and not reference.startswith(RESERVED_REFERENCE)
    ):
        raise AdministrationError("wallets.bad_reference", max=REFERENCE_LENGTH_MAX, reserved=RESERVED_REFERENCE)
    if said.note and not (len(said.note) <= NOTE_LENGTH_MAX and said.note.isprintable()):
        raise AdministrationError("wallets.bad_note", max=NOTE_LENGTH_MAX)
    return Said(reference, said.note or None)


def _wallet(connection: Connection, row: OrganisationRow) -> Wallet:
    credit, later = (stored.read_balance(connection, account_of(row.id, prepaid=prepaid)) for prepaid in (True, False))
    return Wallet(
        organisation=row.id,
        name=row.name,
        prepaid=row.prepaid,
        balance_nano=credit.posted_nano,
        held_nano=credit.held_nano,
        available_nano=credit.available_nano,
        owed_nano=-later.posted_nano,
    )
