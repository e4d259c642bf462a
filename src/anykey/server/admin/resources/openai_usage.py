"""Usage and costs in the shapes of OpenAI's `/v1/organization/usage/completions` and `/v1/organization/costs`, for programs that
read those: https://platform.openai.com/docs/api-reference/usage, and the types of OpenAI's SDK 3.52.

Their project is our team, their user our member. A page is a number of buckets of time, empty ones too, so its cursor is only
where the next bucket begins.
"""

import time
from typing import Annotated, Any, Literal, NamedTuple, cast

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

from anykey.administration.usage_report import summed
from anykey.server.admin.refusals import Refusal
from anykey.server.admin.rules import Calling, Resource
from anykey.server.admin.shapes import Seconds, Told, Word
from anykey.storage.paging import cursor_of, key_in
from anykey.storage.usage_question import UsageQuestion
from anykey.storage.usage_report import UsageSum

OPENAI_USAGE = Resource("OpenAI-compatible usage", "admin")
Ids = Annotated[list[Word], Field(max_length=100)]
UsageGroup = Literal["project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source"]
CostGroup = Literal["project_id", "user_id", "api_key_id", "line_item", "api_source"]
DIMENSIONS = {
    "project_id": "team",
    "user_id": "member",
    "api_key_id": "key",
    "model": "model",
    "line_item": "model",
}
"""What we know of their groups. The others have one value for all calls here, which is null."""
WIDTHS_S = {"1m": 60, "1h": 3600, "1d": 86_400}
PERIODS = {60: "minute", 3600: "hour", 86_400: "day"}
PAGES = {"1m": (60, 1440), "1h": (24, 168), "1d": (7, 31)}
"""Buckets in a page: unasked, and at most."""
COSTS_MOST = 180


class BucketQuery(BaseModel):
    """What both have in common. Times are Unix seconds; `end_time` is the first moment that does not count, now if not sent."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    start_time: Seconds
    end_time: Seconds | None = None
    project_ids: Ids | None = None
    user_ids: Ids | None = None
    api_key_ids: Ids | None = None
    limit: Annotated[int, Field(ge=1, le=1440)] | None = None
    page: Annotated[str, Field(max_length=256)] | None = None


class CompletionsQuery(BucketQuery):
    """OpenAI's, with minutes too. `batch` true has nothing in it: there are no batches here."""

    bucket_width: Literal["1m", "1h", "1d"] = "1d"
    group_by: Annotated[list[UsageGroup], Field(max_length=7)] | None = None
    models: Ids | None = None
    batch: bool | None = None


class CostsQuery(BucketQuery):
    """OpenAI's, with hours too. A line item is a model here."""

    bucket_width: Literal["1h", "1d"] = "1d"
    group_by: Annotated[list[CostGroup], Field(max_length=5)] | None = None
    line_items: Ids | None = None


class CompletionsResult(Told):
    """Sums of a bucket, of one group. `input_tokens` are all of them, cached ones too, as OpenAI counts."""

    object: Literal["organization.usage.completions.result"] = "organization.usage.completions.result"
    input_tokens: int
    input_cached_tokens: int
    input_cache_write_tokens: int
    input_uncached_tokens: int
    output_tokens: int
    num_model_requests: int
    project_id: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    model: str | None = None
    batch: bool | None = None
    service_tier: str | None = None


class Amount(Told):
    """OpenAI's shape has a JSON number here; what counts is kept in whole nano-USD and told by `/admin/v1/usage`."""

    value: float
    currency: Literal["usd"] = "usd"


class CostsResult(Told):
    """Money of a bucket, of one group."""

    object: Literal["organization.costs.result"] = "organization.costs.result"
    amount: Amount
    project_id: str | None = None
    user_id: str | None = None
    api_key_id: str | None = None
    line_item: str | None = None


class CompletionsBucket(Told):
    """A period of time."""

    object: Literal["bucket"] = "bucket"
    start_time: int
    end_time: int
    results: list[CompletionsResult]


class CostsBucket(Told):
    """A period of time."""

    object: Literal["bucket"] = "bucket"
    start_time: int
    end_time: int
    results: list[CostsResult]


class CompletionsPage(Told):
    """Buckets in order."""

    object: Literal["page"] = "page"
    data: list[CompletionsBucket]
    has_more: bool
    next_page: str | None


class CostsPage(Told):
    """Buckets in order."""

    object: Literal["page"] = "page"
    data: list[CostsBucket]
    has_more: bool
    next_page: str | None


class Span(NamedTuple):
    """The buckets of a page: where each begins, Unix seconds. The first counts from `start`, the last up to `end`."""

    starts: range
    start: int
    end: int
    next_page: str | None

    def ends(self, begin: int) -> int:
        """Where the bucket that begins there ends."""
        return begin + self.starts.step


@OPENAI_USAGE.operation("GET", "/v1/organization/usage/completions", permission="usage:read")
def organization_usage(caller: Calling, query: Annotated[CompletionsQuery, Query()]) -> CompletionsPage:
    """Sum up tokens and calls by time, in OpenAI's shape."""
    span = span_of(query, WIDTHS_S[query.bucket_width], PAGES[query.bucket_width])
    groups = list(dict.fromkeys(query.group_by or ()))
    models = None if query.models is None else tuple(query.models)
    found = {} if query.batch else _by_bucket(caller, query, span, groups, models)
    return CompletionsPage(
        data=[
            CompletionsBucket(
                start_time=begin,
                end_time=span.ends(begin),
                results=[_usage(one, groups) for one in found.get(begin, ())],
            )
            for begin in span.starts
        ],
        has_more=span.next_page is not None,
        next_page=span.next_page,
    )


@OPENAI_USAGE.operation("GET", "/v1/organization/costs", permission="usage:read")
def organization_costs(caller: Calling, query: Annotated[CostsQuery, Query()]) -> CostsPage:
    """Sum up money by time, in OpenAI's shape."""
    span = span_of(query, WIDTHS_S[query.bucket_width], (7, COSTS_MOST))
    groups = list(dict.fromkeys(query.group_by or ()))
    items = None if query.line_items is None else tuple(query.line_items)
    found = _by_bucket(caller, query, span, groups, items)
    return CostsPage(
        data=[
            CostsBucket(
                start_time=begin,
                end_time=span.ends(begin),
                results=[
                    CostsResult(amount=Amount(value=one.cost_nano / 10**9), **_values(one, groups))
                    for one in found.get(begin, ())
                ],
            )
            for begin in span.starts
        ],
        has_more=span.next_page is not None,
        next_page=span.next_page,
    )


def span_of(query: BucketQuery, width_s: int, page: tuple[int, int]) -> Span:
    """The buckets that are asked for; `page` is how many there are unasked, and at most. Raises Refusal, CursorError."""
    unasked, most = page
    if query.limit is not None and query.limit > most:
        raise Refusal(422, "less_than_equal", f"limit: at most {most} buckets of this width", "limit")
    end = int(time.time()) + 1 if query.end_time is None else query.end_time  # the second that it is now counts
    begin = query.start_time - query.start_time % width_s
    if query.page is not None:
        begin = max(begin, int(key_in(query.page, int)[0]) // width_s * width_s)
    starts = range(begin, max(end, begin), width_s)[: query.limit or unasked]
    after = begin + len(starts) * width_s
    return Span(starts, query.start_time, min(end, after), cursor_of((after,)) if after < end else None)


def _by_bucket(
    caller: Calling, query: BucketQuery, span: Span, groups: list[Any], models: tuple[str, ...] | None
) -> dict[int, list[UsageSum]]:
    """The sums of each bucket that has any, by where it begins."""
    chosen = (
        ("key", query.api_key_ids),
        ("team", query.project_ids),
        ("member", query.user_ids),
        ("model", models),
    )
    asked = dict.fromkeys(DIMENSIONS[name] for name in groups if name in DIMENSIONS)
    question = UsageQuestion(
        by=(PERIODS[span.starts.step], *asked),
        where=tuple((name, tuple(values)) for name, values in chosen if values is not None),
        since_ms=max(span.start, span.starts.start) * 1000,
        until_ms=span.end * 1000,
    )
    found: dict[int, list[UsageSum]] = {}
    if span.starts:
        for one in sorted(summed(caller.home, question, actor=caller.actor), key=lambda one: str(one.group)):
            found.setdefault(cast("int", one.group[0]) // 1000, []).append(one)
    return found


def _usage(one: UsageSum, groups: list[UsageGroup]) -> CompletionsResult:
    written = one.cache_write_5m_tokens + one.cache_write_1h_tokens
    return CompletionsResult(
        input_tokens=one.input_tokens + one.cache_read_tokens + written,
        input_cached_tokens=one.cache_read_tokens,
        input_cache_write_tokens=written,
        input_uncached_tokens=one.input_tokens,
        output_tokens=one.output_tokens + one.reasoning_tokens,
        num_model_requests=one.exchanges,
        batch=False if "batch" in groups else None,
        **_values(one, groups),
    )


def _values(one: UsageSum, groups: list[Any]) -> dict[str, Any]:
    """The values of the groups that we know."""
    known = [name for name in groups if name in DIMENSIONS]
    values = dict(zip(dict.fromkeys(DIMENSIONS[name] for name in known), one.group[1:], strict=True))
    return {name: values[DIMENSIONS[name]] for name in known}
