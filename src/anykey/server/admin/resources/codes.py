"""Codes for credit. A code's text is worth money: it is in the answers to making and to exporting a batch, and nowhere else."""

import time
from typing import Annotated

from fastapi import Query
from pydantic import Field

from anykey.administration.codes import (
    CODES_MOST,
    USES_MOST,
    Code,
    Order,
    create_batch,
    export_batch,
    list_codes,
    redeem,
    revoke,
    state_of,
)
from anykey.server.admin.resources.wallets import TransferTold, transfer_told
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Filter, Id, Listed, Seconds, Text, Told, Usd, Word, listed, nano, usd
from anykey.storage.codes import CodeRow

CODES = Resource("codes")
REDEEMING = Resource("codes", "user")


class CodeTold(Told):
    """A code without its text. `state`: `active`, `revoked`, `used` or `over`. Times are Unix seconds."""

    id: str
    batch: str
    last4: str
    state: str
    amount_nano: int
    amount_usd: str | None
    bonus: bool
    uses: int
    uses_max: int
    expires_at: int | None
    created_at: int
    created_by: str
    revoked_at: int | None
    note: str | None


class CodeWithText(Told):
    """A code and its text."""

    code: CodeTold
    text: str


class CodesWithTexts(Told):
    """A batch."""

    batch: str
    items: list[CodeWithText]


class CodeFilter(Filter):
    """Those of one batch."""

    batch: Word | None = None


class NewBatch(Asked):
    """`uses_max`: by how many organisations each code can be redeemed. `bonus`: nobody paid for it. Without a `batch` it
    gets a name."""

    amount_usd: Usd
    count: Annotated[int, Field(ge=1, le=CODES_MOST)] = 1
    batch: Word | None = None
    bonus: bool = False
    uses_max: Annotated[int, Field(ge=1, le=USES_MOST)] = 1
    expires_at: Seconds | None = None
    note: Text | None = None


class CodesRevoked(Told):
    """The codes that ended with this."""

    items: list[str]


class CodeSent(Asked):
    """A code's text. `organisation`: whose wallet is paid; not sent: the caller's own."""

    code: Word
    organisation: Word | None = None


class CodeRedeemed(Told):
    """What it gave."""

    code_id: str
    organisation: str
    amount_nano: int
    amount_usd: str | None
    transfer: TransferTold


@CODES.operation("GET", "/admin/v1/codes", permission="codes:read")
def codes_list(caller: Calling, query: Annotated[CodeFilter, Query()]) -> Listed[CodeTold]:
    """List codes, the newest first."""
    page = list_codes(caller.home, query.batch, cursor=query.cursor, limit=query.limit, actor=caller.actor)
    return listed(page, told)


@CODES.operation("POST", "/admin/v1/codes", permission="codes:write", status=201)
def codes_create(caller: Calling, body: NewBatch) -> CodesWithTexts:
    """Make a batch of codes."""
    order = Order(
        amount_nano=nano(body.amount_usd, "amount_usd"),
        count=body.count,
        batch=body.batch,
        bonus=body.bonus,
        uses_max=body.uses_max,
        expires_at=body.expires_at,
        note=body.note,
    )
    return _texts(create_batch(caller.home, order, actor=caller.actor))


@CODES.operation("POST", "/admin/v1/codes/{batch}/export", permission="codes:write")
def codes_export(caller: Calling, batch: Id) -> CodesWithTexts:
    """Show all codes of a batch with their texts; the audit log says who did."""
    return _texts(export_batch(caller.home, batch, actor=caller.actor))


@CODES.operation("DELETE", "/admin/v1/codes/{reference}", permission="codes:write")
def codes_revoke(caller: Calling, reference: Id) -> CodesRevoked:
    """Take a code (its id) or a whole batch (its name) out of force. What was redeemed stays."""
    return CodesRevoked(items=revoke(caller.home, reference, actor=caller.actor))


@REDEEMING.operation("POST", "/v1/codes/redeem", permission="codes:redeem")
def codes_redeem(caller: Calling, body: CodeSent) -> CodeRedeemed:
    """Pay what a code is worth into a wallet."""
    found = redeem(caller.home, body.code, body.organisation, actor=caller.actor)
    return CodeRedeemed(
        code_id=found.code_id,
        organisation=found.organisation,
        amount_nano=found.amount_nano,
        amount_usd=usd(found.amount_nano),
        transfer=transfer_told(found.transfer),
    )


def told(row: CodeRow) -> CodeTold:
    """The code without its text and its digest."""
    return CodeTold(
        id=row.id,
        batch=row.batch,
        last4=row.last4,
        state=state_of(row, time.time()),
        amount_nano=row.amount_nano,
        amount_usd=usd(row.amount_nano),
        bonus=row.bonus,
        uses=row.uses,
        uses_max=row.uses_max,
        expires_at=row.expires_at,
        created_at=row.created_at,
        created_by=row.created_by,
        revoked_at=row.revoked_at,
        note=row.note,
    )


def _texts(codes: list[Code]) -> CodesWithTexts:
    return CodesWithTexts(
        batch=codes[0].row.batch, items=[CodeWithText(code=told(code.row), text=code.text) for code in codes]
    )
