"""Codes for credit: make a batch, print it, take it back; redeem one. Operators make codes; an organisation's billing redeems."""

import re
import secrets
import time
from collections.abc import Iterator

import msgspec

from anykey.accounts.amounts import usd_text
from anykey.accounts.codes import SHOWN_LENGTH, code_digest, code_text, parse_code
from anykey.accounts.ledger import BONUS, CASH
from anykey.accounts.permissions import LOCAL, Actor, require
from anykey.administration.errors import AdministrationError
from anykey.administration.home import Home
from anykey.administration.tenants import note, open_organisation
from anykey.administration.wallets import RESERVED_REFERENCE, Said, good_amount, new_transfer
from anykey.storage import codes as stored
from anykey.storage.codes import CodeRow
from anykey.storage.database import Connection
from anykey.storage.paging import LIMIT_DEFAULT, LIMIT_MAX, Page
from anykey.storage.wallets import POSTED_NANO_MAX, TooMuch, Transfer, post
from anykey.storage.writing import writing

CODES_MOST, USES_MOST, NOTE_LENGTH_MAX = 10_000, 1_000_000, 500
_BATCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A batch of codes. `uses_max`: by how many organisations each can be redeemed. `expires_at` is Unix seconds."""

    amount_nano: int
    count: int = 1
    batch: str | None = None
    bonus: bool = False
    uses_max: int = 1
    expires_at: int | None = None
    note: str | None = None


class Code(msgspec.Struct, frozen=True):
    """A code and its text, which is worth money."""

    row: CodeRow
    text: str

    def __repr__(self) -> str:
        return f"Code(id={self.row.id!r}, text='***')"


class Redeemed(msgspec.Struct, frozen=True):
    """What a code gave to whom."""

    code_id: str
    organisation: str
    amount_nano: int
    transfer: Transfer


def create_batch(home: Home, order: Order, *, actor: Actor = LOCAL) -> list[Code]:
    """Make the codes."""
    require(actor, "codes:write", None)
    now_s = int(time.time())
    _check(order, now_s)
    batch = order.batch or f"batch_{secrets.token_hex(4)}"
    made: list[Code] = []
    for _ in range(order.count):
        code_id = f"code_{secrets.token_hex(10)}"
        text = code_text(code_id, home.pepper)
        row = CodeRow(
            id=code_id,
            batch=batch,
            digest=code_digest(parse_code(text) or "", home.pepper),
            last4=text[-SHOWN_LENGTH:],
            amount_nano=order.amount_nano,
            bonus=order.bonus,
            uses_max=order.uses_max,
            expires_at=order.expires_at,
            created_at=now_s,
            created_by=actor.name,
            note=order.note or None,
        )
        made.append(Code(row, text))

    def change(connection: Connection) -> None:
        stored.insert_codes(connection, [code.row for code in made])
        told = {**msgspec.structs.asdict(order), "batch": batch}
        note(connection, actor, "codes.create", ("batch", batch, None), (None, told))

    writing(home.database, change)
    return made


def list_codes(
    home: Home,
    batch: str | None = None,
    *,
    cursor: str | None = None,
    limit: int = LIMIT_DEFAULT,
    actor: Actor = LOCAL,
) -> Page[CodeRow]:
    """Codes without their texts, the newest first."""
    require(actor, "codes:read", None)
    return stored.list_codes(home.database, batch, cursor, limit)


def export_batch(home: Home, batch: str, *, actor: Actor = LOCAL) -> list[Code]:
    """All codes of a batch with their texts, to be printed. It is noted in the audit log."""
    require(actor, "codes:write", None)
    rows = list(_all(home, batch))
    if not rows:
        raise AdministrationError("codes.no_batch", batch=batch[:80])

    def change(connection: Connection) -> None:
        note(connection, actor, "codes.export", ("batch", batch, None), (None, {"codes": len(rows)}))

    writing(home.database, change)
    return [Code(row, code_text(row.id, home.pepper)) for row in rows]


def revoke(home: Home, reference: str, *, actor: Actor = LOCAL) -> list[str]:
    """Take the code of this id, or the batch of this name, out of force. What was redeemed stays. Returns the codes' ids."""
    require(actor, "codes:write", None)

    def change(connection: Connection) -> list[str]:
        ended = stored.revoke_codes(connection, reference, int(time.time()))
        if not ended:
            raise AdministrationError("codes.none_in_force", reference=reference[:80])
        note(connection, actor, "codes.revoke", ("codes", reference, None), (None, {"codes": ended}))
        return ended

    return writing(home.database, change)


def redeem(home: Home, text: str, organisation: str | None = None, *, actor: Actor = LOCAL) -> Redeemed:
    """Pay what the code is worth into the organisation's wallet (id or name; None: the actor's own). Raises
    AdministrationError for a code that is mistyped, unknown, over, revoked, used up or used by this organisation before."""
    characters = parse_code(text)
    if characters is None:
        raise AdministrationError("codes.mistyped")
    digest = code_digest(characters, home.pepper)

    def change(connection: Connection) -> Redeemed:
        row = open_organisation(connection, organisation, actor)
        require(actor, "codes:redeem", row.id)
        now_ms = time.time_ns() // 1_000_000
        used = stored.use_code(connection, digest, now_ms // 1000)
        if used is None:
            raise _why(stored.find_code(connection, digest), now_ms // 1000)
        said = Said(f"{RESERVED_REFERENCE}{used.id}:{row.id}")
        route = ("code", "in", BONUS if used.bonus else CASH)
        transfer = new_transfer(row.id, route, used.amount_nano, said, actor)
        if not stored.note_use(connection, (used.id, row.id, now_ms, transfer.id)):
            raise AdministrationError("codes.used_before", organisation=row.name)
        try:
            post(connection, transfer)
        except TooMuch:
            raise AdministrationError("wallets.too_much", max=usd_text(POSTED_NANO_MAX)) from None
        told = {"amount": usd_text(used.amount_nano), "transfer": transfer.id}
        note(connection, actor, "codes.redeem", ("code", used.id, row.id), (None, told))
        return Redeemed(used.id, row.id, used.amount_nano, transfer)

    return writing(home.database, change)


def state_of(row: CodeRow, now_s: float) -> str:
    """`active`, `revoked`, `used` or `over`."""
    if row.revoked_at is not None:
        return "revoked"
    if row.uses >= row.uses_max:
        return "used"
    return "over" if row.expires_at is not None and row.expires_at <= now_s else "active"


def _why(row: CodeRow | None, now_s: int) -> AdministrationError:
    if row is None:
        return AdministrationError("codes.not_found")
    return AdministrationError(
        {"revoked": "codes.revoked", "over": "codes.over"}.get(state_of(row, now_s), "codes.used_up")
    )


def _check(order: Order, now_s: int) -> None:
    good_amount(order.amount_nano)
    if not 1 <= order.count <= CODES_MOST:
        raise AdministrationError("codes.bad_count", max=CODES_MOST)
    if not 1 <= order.uses_max <= USES_MOST:
        raise AdministrationError("codes.bad_uses", max=USES_MOST)
    if order.batch is not None and not _BATCH.fullmatch(order.batch):
        raise AdministrationError("codes.bad_batch", batch=order.batch[:80])
    if order.expires_at is not None and order.expires_at <= now_s:
        raise AdministrationError("codes.expired_before")
    if order.note and not (len(order.note) <= NOTE_LENGTH_MAX and order.note.isprintable()):
        raise AdministrationError("wallets.bad_note", max=NOTE_LENGTH_MAX)


def _all(home: Home, batch: str) -> Iterator[CodeRow]:
    cursor: str | None = None
    while True:
        page = stored.list_codes(home.database, batch, cursor, LIMIT_MAX)
        yield from page.items
        cursor = page.next
        if cursor is None:
            return
