"""The ledger: what moved, what is not settled, whether all of it is right, and setting right what nobody knows."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from anykey.administration.ledger import Decision, list_entries, reconcile, unsettled, verify
from anykey.server.admin.refusals import Refusal
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Asked, Filter, Listed, Told, Usd, Word, listed, nano, usd
from anykey.storage.ledger import LedgerEntry, OpenCharge

LEDGER = Resource("ledger")
Amounts = Annotated[dict[Word, Usd], Field(min_length=1, max_length=10_000)]


class LedgerFilter(Filter):
    """Those of one organisation (id or name)."""

    organisation: Word | None = None


class EntryTold(Told):
    """A movement of money: a transfer, or the settled charge of a call (`kind` call). `about` is a transfer's reference or a
    call's model."""

    id: str
    at_ms: int
    kind: str
    debit: str
    credit: str
    amount_nano: int
    amount_usd: str | None
    organisation: str | None
    about: str | None


class OpenChargeTold(Told):
    """A charge whose money is still held: of a call under way (`open`), or of one whose outcome nobody knows (`unknown`)."""

    id: str
    at_ms: int
    state: Literal["open", "unknown"]
    key_id: str
    organisation: str
    account: str
    client: str
    model: str
    price_id: str | None
    reserved_nano: int
    reserved_usd: str | None


class RuleTold(Told):
    """Two sums that must be equal."""

    rule: str
    of: str
    left_nano: int
    right_nano: int


class LedgerChecked(Told):
    """`broken`: the rules that do not hold, of `rules` that were checked. `charges` are counted by state."""

    right: bool
    rules: int
    broken: list[RuleTold]
    charges: dict[str, int]
    settled_nano: int
    settled_usd: str | None
    collected_nano: int
    collected_usd: str | None


class Reconciliation(Asked):
    """Either a `decision` on unknown charges (of an `organisation`, or with these `ids`; neither: all), each settled at its
    estimate or void; or `amounts_usd`: what each came to, by its id."""

    decision: Decision | None = None
    amounts_usd: Amounts | None = None
    organisation: Word | None = None
    ids: Annotated[list[Word], Field(max_length=10_000)] | None = None


class ReconciledTold(Told):
    """`left_out`: ids that are not unknown (any more)."""

    settled: int
    settled_nano: int
    settled_usd: str | None
    voided: int
    left_out: list[str]


@LEDGER.operation("GET", "/admin/v1/ledger", permission="ledger:read")
def ledger_list(caller: Calling, query: Annotated[LedgerFilter, Query()]) -> Listed[EntryTold]:
    """List what moved, the newest first."""
    page = list_entries(caller.home, query.organisation, cursor=query.cursor, limit=query.limit, actor=caller.actor)
    return listed(page, told)


@LEDGER.operation("GET", "/admin/v1/ledger/unsettled", permission="ledger:read")
def ledger_unsettled(caller: Calling, query: Annotated[LedgerFilter, Query()]) -> Listed[OpenChargeTold]:
    """List the charges that are open or unknown, the oldest first."""
    page = unsettled(caller.home, query.organisation, cursor=query.cursor, limit=query.limit, actor=caller.actor)
    return listed(page, _open)


@LEDGER.operation("GET", "/admin/v1/ledger/verify", permission="ledger:write")
def ledger_verify(caller: Calling) -> LedgerChecked:
    """Reckon all balances and budgets anew and compare. Calls go on meanwhile."""
    totals = verify(caller.home, actor=caller.actor)
    broken = totals.broken
    return LedgerChecked(
        right=not broken,
        rules=len(totals.rules),
        broken=[
            RuleTold(rule=rule.rule, of=rule.of, left_nano=rule.left_nano, right_nano=rule.right_nano)
            for rule in broken
        ],
        charges=dict(totals.charges),
        settled_nano=totals.settled_nano,
        settled_usd=usd(totals.settled_nano),
        collected_nano=totals.collected_nano,
        collected_usd=usd(totals.collected_nano),
    )


@LEDGER.operation("POST", "/admin/v1/ledger/reconcile", permission="ledger:write")
def ledger_reconcile(caller: Calling, body: Reconciliation) -> ReconciledTold:
    """Settle unknown charges. Those of calls that are under way are left alone."""
    if (body.decision is None) is (body.amounts_usd is None):
        raise Refusal(422, "one_of", "Send either decision or amounts_usd.", "decision")
    amounts = {name: nano(text, f"amounts_usd.{name}") for name, text in (body.amounts_usd or {}).items()}
    done = reconcile(
        caller.home, body.decision or amounts, organisation=body.organisation, only=body.ids, actor=caller.actor
    )
    return ReconciledTold(
        settled=done.settled,
        settled_nano=done.settled_nano,
        settled_usd=usd(done.settled_nano),
        voided=done.voided,
        left_out=list(done.left_out),
    )


def told(entry: LedgerEntry) -> EntryTold:
    """The movement."""
    return EntryTold(
        id=entry.id,
        at_ms=entry.at,
        kind=entry.kind,
        debit=entry.debit,
        credit=entry.credit,
        amount_nano=entry.amount_nano,
        amount_usd=usd(entry.amount_nano),
        organisation=entry.organisation,
        about=entry.about,
    )


def _open(charge: OpenCharge) -> OpenChargeTold:
    return OpenChargeTold(
        id=charge.id,
        at_ms=charge.at,
        state=charge.state,
        key_id=charge.key_id,
        organisation=charge.organisation,
        account=charge.account,
        client=charge.client,
        model=charge.model,
        price_id=charge.price_id,
        reserved_nano=charge.reserved_nano,
        reserved_usd=usd(charge.reserved_nano),
    )
