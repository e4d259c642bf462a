"""Wallets: what organisations have or owe, and the transfers into and out of them."""

from typing import Annotated, Literal

from fastapi import Query

from anykey.administration.wallets import (
    Posted,
    Said,
    Wallet,
    adjust,
    balance_of,
    give_bonus,
    list_transfers,
    refund,
    top_up,
)
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Filter, Id, Listed, Text, Told, Usd, Word, listed, nano, usd
from anykey.storage.wallets import Transfer

WALLETS = Resource("wallets")
PATH = "/admin/v1/organisations/{organisation}/wallet"


class WalletTold(Told):
    """What an organisation has. `held`: for calls under way. Where it is not `prepaid` its calls take nothing of it, and `owed`
    is what they came to."""

    organisation: str
    name: str
    prepaid: bool
    balance_nano: int
    balance_usd: str | None
    held_nano: int
    held_usd: str | None
    available_nano: int
    available_usd: str | None
    owed_nano: int
    owed_usd: str | None


class TransferTold(Told):
    """Money that went from the account `debit` to the account `credit`. `at_ms` is Unix milliseconds; `reference` is a name from
    outside, such as a payment's."""

    id: str
    at_ms: int
    kind: str
    debit: str
    credit: str
    amount_nano: int
    amount_usd: str | None
    organisation: str | None
    reference: str | None
    actor: str
    note: str | None


class TransferFilter(Filter):
    """Those of one organisation (id or name)."""

    organisation: Word | None = None


class NewTransfer(Asked):
    """`reference` makes it safe to send again: there is one transfer for each. `kind`: `topup` was paid in, `bonus` is a gift,
    `refund` was paid back, an `adjustment` corrects."""

    amount_usd: Usd
    kind: Literal["topup", "bonus", "refund", "adjustment_in", "adjustment_out"] = "topup"
    reference: Text | None = None
    note: Text | None = None


class TransferPosted(Told):
    """`new` is false where the reference was known, so that nothing moved now."""

    transfer: TransferTold
    new: bool
    wallet: WalletTold


@WALLETS.operation("GET", PATH, permission="wallets:read")
def wallets_get(caller: Calling, organisation: Id) -> WalletTold:
    """Show what an organisation (id or name) has."""
    return told(balance_of(caller.home, organisation, actor=caller.actor))


@WALLETS.operation("POST", PATH + "/transfers", permission="wallets:write", status=201)
def wallets_transfer(caller: Calling, organisation: Id, body: NewTransfer) -> TransferPosted:
    """Move money into or out of a wallet."""
    posted = _move(caller, organisation, body)
    wallet = balance_of(caller.home, posted.transfer.organisation, actor=caller.actor)
    return TransferPosted(transfer=transfer_told(posted.transfer), new=posted.new, wallet=told(wallet))


@WALLETS.operation("GET", "/admin/v1/transfers", permission="wallets:read")
def transfers_list(caller: Calling, query: Annotated[TransferFilter, Query()]) -> Listed[TransferTold]:
    """List transfers, the newest first."""
    page = list_transfers(caller.home, query.organisation, cursor=query.cursor, limit=query.limit, actor=caller.actor)
    return listed(page, transfer_told)


def told(wallet: Wallet) -> WalletTold:
    """The wallet."""
    return WalletTold(
        organisation=wallet.organisation,
        name=wallet.name,
        prepaid=wallet.prepaid,
        balance_nano=wallet.balance_nano,
        balance_usd=usd(wallet.balance_nano),
        held_nano=wallet.held_nano,
        held_usd=usd(wallet.held_nano),
        available_nano=wallet.available_nano,
        available_usd=usd(wallet.available_nano),
        owed_nano=wallet.owed_nano,
        owed_usd=usd(wallet.owed_nano),
    )


def transfer_told(transfer: Transfer) -> TransferTold:
    """The transfer."""
    return TransferTold(
        id=transfer.id,
        at_ms=transfer.at,
        kind=transfer.kind,
        debit=transfer.debit,
        credit=transfer.credit,
        amount_nano=transfer.amount_nano,
        amount_usd=usd(transfer.amount_nano),
        organisation=transfer.organisation,
        reference=transfer.reference,
        actor=transfer.actor,
        note=transfer.note,
    )


def _move(caller: Calling, organisation: str, body: NewTransfer) -> Posted:
    amount, said = nano(body.amount_usd, "amount_usd"), Said(body.reference, body.note)
    home, actor = caller.home, caller.actor
    match body.kind:
        case "topup":
            return top_up(home, organisation, amount, said=said, actor=actor)
        case "bonus":
            return give_bonus(home, organisation, amount, said=said, actor=actor)
        case "refund":
            return refund(home, organisation, amount, said=said, actor=actor)
        case "adjustment_in":
            return adjust(home, organisation, amount, "in", said=said, actor=actor)
        case "adjustment_out":
            return adjust(home, organisation, amount, "out", said=said, actor=actor)
