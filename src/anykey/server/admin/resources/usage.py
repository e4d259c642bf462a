"""What was used: sums of calls, tokens and money, by what they are grouped by and by day or hour."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Query
from msgspec import structs
from pydantic import Field, StringConstraints

from anykey.administration.usage import usage_question
from anykey.administration.usage_export import Format, calls, shown
from anykey.administration.usage_report import Latency, UsageLine, report
from anykey.server.admin.downloads import Download
from anykey.server.admin.refusals import Refusal
from anykey.server.admin.resources.requests import RequestFilter, TokensTold
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Listed, Told, Word, listed, usd
from anykey.storage.paging import SortKey, page_of
from anykey.storage.usage_question import UsageQuestion
from anykey.storage.usage_report import UsageSum

USAGE = Resource("usage")
Group = Literal[
    "key",
    "model",
    "answered",
    "provider",
    "deployment",
    "client",
    "group",
    "team",
    "member",
    "organisation",
    "scenario",
    "status",
    "failure",
]
Pair = Annotated[str, StringConstraints(pattern=r"^metadata\.[^\x00-\x1f\x7f]{1,128}$")]
FILTERS = ("key", "model", "provider", "client", "team", "member", "organisation", "status", "group", "scenario")
OPERATORS = frozenset({"provider", "deployment"})
PERIODS = frozenset({"day", "hour"})


class UsageFilter(RequestFilter):
    """… and these. `metadata`: NAME=VALUE, each of which a call must be marked with."""

    group: Word | None = None
    scenario: Word | None = None
    metadata: Annotated[list[Word], Field(max_length=8)] = Field(default_factory=list[Word])


class UsageQuery(UsageFilter):
    """Days begin `offset_minutes` before they do in UTC; east is positive."""

    by: Annotated[list[Group | Pair], Field(max_length=3)] = Field(default_factory=list[Group | Pair])
    period: Literal["all", "day", "hour"] = "all"
    offset_minutes: Annotated[int, Field(ge=-840, le=840)] = 0


class ExportQuery(UsageFilter):
    """`limit` and `cursor` say nothing here: an export has everything."""

    format: Format = "csv"


class LatencyTold(Told):
    """Milliseconds that half, and 95 %, of the answered calls took at the most; null: there were none."""

    p50: int | None
    p95: int | None


class MissesTold(Told):
    """What the input tokens that were not read from a cache cost more than those that are, by the rate cards they were sold by.
    `unknown_tokens` are not in it, for their card is not known."""

    cost_nano: int
    cost_usd: str | None
    unknown_tokens: int


class UsageTold(Told):
    """Sums over the calls of the period that begins at `at_ms` (Unix milliseconds; 0 where there is one for all) with these
    values in `group`. `unpriced`: how many answered calls have no price, so that `cost_nano` does not count them; `estimated`:
    how many calls' tokens were counted here. `tokens_per_second`: of streams, from the first token to the last."""

    at_ms: int
    group: dict[str, str | None]
    requests: int
    failures: int
    failures_by_kind: dict[str, int]
    tokens: TokensTold
    cost_nano: int
    cost_usd: str | None
    unpriced: int
    estimated: int
    cache_hit_rate: float | None
    cache_misses: MissesTold
    first_token_ms: LatencyTold
    total_ms: LatencyTold
    tokens_per_second: float | None


class UsageListed(Listed[UsageTold]):
    """`complete_from_ms`: calls before it are kept no more, and this cannot be told from the sums that are; null: all count."""

    complete_from_ms: int | None = None


@USAGE.operation("GET", "/admin/v1/usage", permission="usage:read")
def usage_list(caller: Calling, query: Annotated[UsageQuery, Query()]) -> UsageListed:
    """Sum up calls by up to three properties, and by day or hour."""
    by = list(dict.fromkeys(query.by))
    question = question_of(caller, query, by, query.period, query.offset_minutes)
    found = report(caller.home, question, snapshot=caller.premises.gateway.snapshot, actor=caller.actor)
    page = listed(page_of(found.lines, sort_key, query.cursor, query.limit), told)
    return UsageListed(items=page.items, next=page.next, complete_from_ms=found.complete_from_ms)


@USAGE.download("/admin/v1/usage/export", permission="usage:read")
def usage_export(caller: Calling, query: Annotated[ExportQuery, Query()]) -> Download:
    """Write every single call, however many there are, as CSV or JSON lines."""
    pieces = calls(caller.home, question_of(caller, query), query.format, actor=caller.actor)
    return Download(f"usage.{query.format}", pieces)


def question_of(
    caller: Calling, query: UsageFilter, by: Sequence[str] = (), period: str = "all", offset_minutes: int = 0
) -> UsageQuestion:
    """The question as the store knows it. Where calls went is the operator's own business: others cannot ask by it."""
    chosen = {name: value for name in FILTERS if (value := getattr(query, name)) is not None}
    asked = OPERATORS.intersection((*by, *chosen))
    if asked and not caller.actor.is_operator:
        name = sorted(asked)[0]
        message = f"Only who runs the gateway may ask by {name}."
        raise Refusal(403, "permission_denied", message, name if name in chosen else "by")
    key = chosen.pop("key", None)  # its id, as it is: who cannot see a key must not learn that there is one
    question = usage_question(
        caller.home,
        (query.since_ms, query.until_ms),
        by=by if period == "all" else (period, *by),
        where={name: (value,) for name, value in chosen.items()},
        metadata=query.metadata,
        offset_ms=offset_minutes * 60_000,
    )
    return question if key is None else narrowed(question, key)


def narrowed(question: UsageQuestion, key: str) -> UsageQuestion:
    """The question about the calls of this key."""
    return structs.replace(question, where=(*question.where, ("key", (key,))))


def sort_key(line: UsageLine) -> SortKey:
    """By period, then by group."""
    at_ms, group = _apart(line)
    return (at_ms, *("" if value is None else f"={value}" for value in group.values()))


def told(line: UsageLine) -> UsageTold:
    """The line, its period apart from its group."""
    one, (at_ms, group) = line.sums, _apart(line)
    return UsageTold(
        at_ms=at_ms,
        group=group,
        requests=one.exchanges,
        failures=one.failures,
        failures_by_kind=one.failures_by_kind,
        tokens=tokens_told(one),
        cost_nano=one.cost_nano,
        cost_usd=usd(one.cost_nano),
        unpriced=one.unpriced,
        estimated=one.estimated,
        cache_hit_rate=line.cache_hit_rate,
        cache_misses=MissesTold(
            cost_nano=line.misses.cost_nano,
            cost_usd=usd(line.misses.cost_nano),
            unknown_tokens=line.misses.unknown_tokens,
        ),
        first_token_ms=_latency(line.first_token),
        total_ms=_latency(line.total),
        tokens_per_second=line.tokens_per_second,
    )


def tokens_told(one: UsageSum) -> TokensTold:
    """The tokens by bucket."""
    return TokensTold(
        input=one.input_tokens,
        cache_read=one.cache_read_tokens,
        cache_write_5m=one.cache_write_5m_tokens,
        cache_write_1h=one.cache_write_1h_tokens,
        output=one.output_tokens,
        reasoning=one.reasoning_tokens,
    )


def _apart(line: UsageLine) -> tuple[int, dict[str, str | None]]:
    at_ms = next((value for name, value in line.group.items() if name in PERIODS), 0)
    group = {name: shown(name, value) for name, value in line.group.items() if name not in PERIODS}
    return int(at_ms or 0), group


def _latency(latency: Latency) -> LatencyTold:
    return LatencyTold(p50=latency.p50_ms, p95=latency.p95_ms)
