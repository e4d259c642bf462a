"""The user API: what the holder of any key may ask about that key. Nothing here shows another key's calls."""

from typing import Annotated, Literal

from fastapi import Query
from msgspec import structs
from pydantic import Field

from anykey.accounts.pricing import lines_in
from anykey.accounts.purse import OwnerKind, Period
from anykey.administration.own_account import account_of_key, charge_of_key
from anykey.administration.request_pages import find_own_request
from anykey.administration.usage_report import own_report
from anykey.routing.groups import standing_of
from anykey.server.admin.resources.requests import TokensTold, tokens_of
from anykey.server.admin.resources.usage import UsageTold, sort_key, told
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Filter, Id, Millis, Told, Word, strings, usd
from anykey.storage.charges import BudgetState
from anykey.storage.paging import page_of
from anykey.storage.usage_question import FOR_EVER_MS, UsageQuestion

ACCOUNT = Resource("account", "user")


class OwnUsageQuery(Filter):
    """Times are Unix milliseconds; days and hours are UTC."""

    since_ms: Millis = 0
    until_ms: Millis | None = None
    model: Word | None = None
    by: Annotated[list[Literal["model", "client"]], Field(max_length=2)] = ["model"]  # noqa: RUF012 - a field, copied
    period: Literal["all", "day", "hour"] = "day"


class OwnUsage(Told):
    """`total` is of all that was asked for, `items` a page of it by period and property."""

    key_id: str
    total: UsageTold
    items: list[UsageTold]
    next: str | None


class LineTold(Told):
    """A part of a bill, before the factor that is `times` of the call: `quantity` units at `price_pico` pico-USD each."""

    unit: str
    quantity: int
    price_pico: int
    amount_pico: int


class CallCost(Told):
    """What one call came to. `state`: `open`, `settled`, `void` (it cost nothing), `unknown` (held until it is known), or `none`,
    where nothing is kept of its money. `cost_nano` null: it has no price. `times`: the exact factor on the sum of `lines`."""

    id: str
    at_ms: int
    model: str
    status: int
    tokens: TokensTold
    usage_source: str
    state: Literal["open", "settled", "void", "unknown", "none"]
    cost_nano: int | None
    cost_usd: str | None
    cost_basis: str | None
    price_id: str | None
    reserved_nano: int | None
    lines: list[LineTold]
    times: str | None


class BudgetUsed(Told):
    """A budget that the key's calls must fit. `resets_ms`: when its oldest spend leaves the window, Unix milliseconds."""

    owner_kind: OwnerKind
    period: Period
    limit_nano: int
    limit_usd: str | None
    spent_nano: int
    spent_usd: str | None
    held_nano: int
    remaining_nano: int
    remaining_usd: str | None
    resets_ms: int | None


class BalanceTold(Told):
    """`credit` is what the wallet has, null where calls are paid later; `held` of it is kept for calls under way."""

    prepaid: bool
    credit_nano: int | None
    credit_usd: str | None
    held_nano: int
    held_usd: str | None
    available_nano: int | None
    available_usd: str | None
    budgets: list[BudgetUsed]


class RatesTold(Told):
    """Null: not limited."""

    requests_per_minute: int | None
    tokens_per_minute: int | None
    concurrency: int | None


class OwnKey(Told):
    """What the calling key may do. `models`: lists of globs that must all allow a name, each with whose it is. `remaining_nano`:
    the most that a call may cost now; null: nothing limits it. Times are Unix seconds."""

    id: str
    name: str
    last4: str
    organisation: str
    team: str | None
    owner: str | None
    role: str | None
    admin: bool
    strict: bool
    group: str
    models: dict[str, list[str]]
    ip_allow: list[str] | None
    ip_deny: list[str] | None
    rates: RatesTold
    budgets: list[BudgetUsed]
    remaining_nano: int | None
    remaining_usd: str | None
    created_at: int
    expires_at: int | None


@ACCOUNT.operation("GET", "/v1/usage", permission="own")
def own_usage(caller: Calling, query: Annotated[OwnUsageQuery, Query()]) -> OwnUsage:
    """Sum up the calls of the calling key: all, and by model and day."""
    where = () if query.model is None else (("model", (query.model,)),)
    until_ms = FOR_EVER_MS if query.until_ms is None else query.until_ms
    whole = UsageQuestion(where=where, since_ms=query.since_ms, until_ms=until_ms)
    by = dict.fromkeys(query.by) if query.period == "all" else dict.fromkeys((query.period, *query.by))
    snapshot = caller.premises.gateway.snapshot
    total, parts = (
        own_report(caller.home, question, caller.key.id, snapshot).lines
        for question in (whole, structs.replace(whole, by=tuple(by)))
    )
    page = page_of(parts, sort_key, query.cursor, query.limit)
    items = [told(line) for line in page.items]
    return OwnUsage(key_id=caller.key.id, total=told(total[0]), items=items, next=page.next)


@ACCOUNT.operation("GET", "/v1/usage/{request_id}", permission="own")
def own_call(caller: Calling, request_id: Id) -> CallCost:
    """Say what one call of the calling key came to: `request_id` is its answer's `x-anykey-request-id`."""
    row = find_own_request(caller.home, request_id, caller.key.id)
    charge = charge_of_key(caller.home, request_id, caller.key.id)
    kept = None if charge is None or charge.lines is None else lines_in(charge.lines)
    lines, times = ((), None) if kept is None else kept
    return CallCost(
        id=row.id,
        at_ms=row.at,
        model=row.model_asked,
        status=row.status,
        tokens=tokens_of(row),
        usage_source=row.usage_source,
        state="none" if charge is None else charge.state,
        cost_nano=row.cost_nano,
        cost_usd=usd(row.cost_nano),
        cost_basis=row.cost_basis,
        price_id=row.price_id,
        reserved_nano=None if charge is None else charge.reserved_nano,
        lines=[
            LineTold(unit=line.unit, quantity=line.quantity, price_pico=line.price_pico, amount_pico=line.amount_pico)
            for line in lines
        ],
        times=times,
    )


@ACCOUNT.operation("GET", "/v1/balance", permission="own")
def own_balance(caller: Calling) -> BalanceTold:
    """Say what the calling key's calls are paid from, and the budgets they must fit."""
    account = account_of_key(caller.home, caller.key)
    balance = account.balance
    available = None if balance is None else balance.available_nano
    return BalanceTold(
        prepaid=balance is not None,
        credit_nano=None if balance is None else balance.posted_nano,
        credit_usd=None if balance is None else usd(balance.posted_nano),
        held_nano=0 if balance is None else balance.held_nano,
        held_usd=usd(0 if balance is None else balance.held_nano),
        available_nano=available,
        available_usd=usd(available),
        budgets=[used(state) for state in account.budgets],
    )


@ACCOUNT.operation("GET", "/v1/key", permission="own")
def own_key(caller: Calling) -> OwnKey:
    """Say what the calling key may do."""
    key, account = caller.key, account_of_key(caller.home, caller.key)
    grant = standing_of(key, caller.premises.gateway.snapshot).grant
    budgets = [used(state) for state in account.budgets]
    rooms = [one.remaining_nano for one in budgets]
    if account.balance is not None:
        rooms.append(max(account.balance.available_nano, 0))
    remaining = min(rooms, default=None)
    return OwnKey(
        id=key.id,
        name=key.name,
        last4=key.last4,
        organisation=key.organisation,
        team=key.team,
        owner=key.member_id,
        role=key.role,
        admin=key.admin,
        strict=key.strict,
        group=grant.group,
        models={source: list(globs) for source, globs in zip(grant.cap_sources, grant.caps, strict=True)},
        ip_allow=strings(key.ip_allow),
        ip_deny=strings(key.ip_deny),
        rates=RatesTold(
            requests_per_minute=key.requests_per_minute,
            tokens_per_minute=key.tokens_per_minute,
            concurrency=key.concurrency,
        ),
        budgets=budgets,
        remaining_nano=remaining,
        remaining_usd=usd(remaining),
        created_at=key.created_at,
        expires_at=key.expires_at,
    )


def used(state: BudgetState) -> BudgetUsed:
    """The budget with what is left of it."""
    budget = state.budget
    remaining = max(budget.limit_nano - state.spent_nano - state.held_nano, 0)
    return BudgetUsed(
        owner_kind=budget.owner_kind,
        period=budget.period,
        limit_nano=budget.limit_nano,
        limit_usd=usd(budget.limit_nano),
        spent_nano=state.spent_nano,
        spent_usd=usd(state.spent_nano),
        held_nano=state.held_nano,
        remaining_nano=remaining,
        remaining_usd=usd(remaining),
        resets_ms=state.resets_ms,
    )
