"""Lists of single calls by pages, newest first, and their sums by periods of time: what HTTP APIs ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, case, func, literal_column, select

from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.exchanges import exchange_of
from anykey.storage.paging import Page, one_page, page_from
from anykey.storage.records import ExchangeRow
from anykey.storage.schema import exchanges

SUMMED = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)
"""The disjoint buckets of tokens, as in ExchangeRow."""


class ExchangeFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which calls: those from `since_ms` up to, but not including, `until_ms` (Unix milliseconds) that are, where it is not None,
    of this organisation, of this member, and of one of each of the others. `losses`: only those that lost something."""

    since_ms: int = 0
    until_ms: int | None = None
    organisation: str | None = None
    member_id: str | None = None
    id: str | None = None
    key_ids: tuple[str, ...] | None = None
    models: tuple[str, ...] | None = None
    providers: tuple[str, ...] | None = None
    clients: tuple[str, ...] | None = None
    teams: tuple[str, ...] | None = None
    member_ids: tuple[str, ...] | None = None
    statuses: tuple[int, int] | None = None
    losses: bool = False


class ExchangeSums(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the calls of the period that begins at `at_ms`, with these values of what they were grouped by. `cost_nano` is of
    what has a price; `unpriced` is how many calls that were answered have none."""

    at_ms: int
    group: tuple[str | None, ...]
    requests: int
    failures: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_nano: int
    unpriced: int


def page_of_exchanges(database: Database, only: ExchangeFilter, cursor: str | None, limit: int) -> Page[ExchangeRow]:
    """A page of these calls, the newest first. Raises CursorError."""
    query = one_page(
        _filtered(select(exchanges), only), (exchanges.c.at, exchanges.c.id), cursor, limit, descending=True
    )
    with transaction(database) as connection:
        rows = [exchange_of(row) for row in connection.execute(query).mappings()]
    return page_from(rows, lambda row: (row.at, row.id), limit)


def sums_of_exchanges(
    database: Database, only: ExchangeFilter, period_ms: int | None, by: Sequence[str] = ()
) -> list[ExchangeSums]:
    """The sums of these calls for each period of `period_ms` (None: one for all, at 0) and each combination of the columns `by`,
    in this order. A period without calls is not there; one sum of everything always is."""
    at = exchanges.c.at
    columns: list[ColumnElement[Any]] = [exchanges.c[name] for name in by]
    begin: ColumnElement[int] = literal_column("0")
    if period_ms is not None:  # a literal: to PostgreSQL two bound values are never the same expression
        begin = at - at % literal_column(str(period_ms))
        columns = [begin, *columns]
    answered = exchanges.c.failure.is_(None) & (exchanges.c.status < 400)
    query = select(
        begin.label("at_ms"),
        *(exchanges.c[name] for name in by),
        func.count().label("requests"),
        func.sum(case((answered, 0), else_=1)).label("failures"),
        *(func.sum(exchanges.c[name]).label(name) for name in SUMMED),
        func.coalesce(func.sum(exchanges.c.cost_nano), 0).label("cost_nano"),
        func.sum(case((answered & exchanges.c.cost_nano.is_(None), 1), else_=0)).label("unpriced"),
    )
    query = _filtered(query, only).group_by(*columns).order_by(*columns)
    with transaction(database) as connection:
        rows = connection.execute(query).all()
    return [_sums(row, len(by)) for row in rows]


def _sums(row: Sequence[Any], grouped: int) -> ExchangeSums:
    numbers = (int(number or 0) for number in row[1 + grouped :])  # PostgreSQL sums 64 bits into a decimal
    names = ("requests", "failures", *SUMMED, "cost_nano", "unpriced")
    return ExchangeSums(at_ms=int(row[0]), group=tuple(row[1 : 1 + grouped]), **dict(zip(names, numbers, strict=True)))


def _filtered(query: Select[Any], only: ExchangeFilter) -> Select[Any]:
    columns = exchanges.c
    query = query.where(columns.at >= only.since_ms)
    if only.until_ms is not None:
        query = query.where(columns.at < only.until_ms)
    for column, value in ((columns.organisation, only.organisation), (columns.member_id, only.member_id)):
        if value is not None:
            query = query.where(column == value)
    for column, values in (
        (columns.id, None if only.id is None else (only.id,)),
        (columns.key_id, only.key_ids),
        (columns.model_asked, only.models),
        (columns.provider, only.providers),
        (columns.client, only.clients),
        (columns.team, only.teams),
        (columns.member_id, only.member_ids),
    ):
        if values is not None:
            query = query.where(column.in_(values))
    if only.statuses is not None:
        query = query.where(columns.status.between(*only.statuses))
    return query.where(columns.losses != "[]") if only.losses else query
