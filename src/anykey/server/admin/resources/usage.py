"""What was used: sums of calls, tokens and money, by what they are grouped by and by day or hour."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field

from anykey.administration.request_pages import usage_sums
from anykey.server.admin.refusals import Refusal
from anykey.server.admin.resources.requests import RequestFilter, TokensTold, asked
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Listed, Told, listed, usd
from anykey.storage.exchange_pages import ExchangeSums
from anykey.storage.paging import SortKey, page_of

USAGE = Resource("usage")
Group = Literal["key", "model", "provider", "client", "group", "team", "member", "organisation", "scenario"]
COLUMNS = {
    "key": "key_id",
    "model": "model_asked",
    "provider": "provider",
    "client": "client",
    "group": "group_name",
    "team": "team",
    "member": "member_id",
    "organisation": "organisation",
    "scenario": "scenario",
}
HOUR_MS = 3_600_000
PERIODS_MS = {"all": None, "day": 24 * HOUR_MS, "hour": HOUR_MS}


class UsageQuery(RequestFilter):
    """Days and hours are UTC."""

    by: Annotated[list[Group], Field(max_length=3)] = Field(default_factory=list[Group])
    period: Literal["all", "day", "hour"] = "all"


class UsageTold(Told):
    """Sums over the calls of the period that begins at `at_ms` (Unix milliseconds; 0 where there is one for all) with these
    values in `group`. `unpriced`: how many answered calls have no price, so that `cost_nano` does not count them."""

    at_ms: int
    group: dict[str, str | None]
    requests: int
    failures: int
    tokens: TokensTold
    cost_nano: int
    cost_usd: str | None
    unpriced: int


@USAGE.operation("GET", "/admin/v1/usage", permission="usage:read")
def usage_list(caller: Calling, query: Annotated[UsageQuery, Query()]) -> Listed[UsageTold]:
    """Sum up calls by up to three properties, and by day or hour."""
    by = list(dict.fromkeys(query.by))
    if "provider" in by and not caller.actor.is_operator:
        raise Refusal(403, "permission_denied", "Only who runs the gateway may ask by provider.", "by")
    columns = [COLUMNS[name] for name in by]
    sums = usage_sums(caller.home, asked(caller, query), PERIODS_MS[query.period], columns, actor=caller.actor)
    return listed(page_of(sums, sort_key, query.cursor, query.limit), lambda one: told(one, by))


def sort_key(one: ExchangeSums) -> SortKey:
    """By period, then by group."""
    return (one.at_ms, *("" if value is None else f"={value}" for value in one.group))


def told(one: ExchangeSums, by: Sequence[Group]) -> UsageTold:
    """The sums with names for the values they were grouped by."""
    return UsageTold(
        at_ms=one.at_ms,
        group=dict(zip(by, one.group, strict=True)),
        requests=one.requests,
        failures=one.failures,
        tokens=tokens_told(one),
        cost_nano=one.cost_nano,
        cost_usd=usd(one.cost_nano),
        unpriced=one.unpriced,
    )


def tokens_told(one: ExchangeSums) -> TokensTold:
    """The tokens by bucket."""
    return TokensTold(
        input=one.input_tokens,
        cache_read=one.cache_read_tokens,
        cache_write_5m=one.cache_write_5m_tokens,
        cache_write_1h=one.cache_write_1h_tokens,
        output=one.output_tokens,
        reasoning=one.reasoning_tokens,
    )
