"""Lists of single calls by pages, newest first: what HTTP APIs ask for."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Select, select

from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.exchanges import exchange_of
from anykey.storage.paging import Page, one_page, page_from
from anykey.storage.records import ExchangeRow
from anykey.storage.schema import exchanges


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


def page_of_exchanges(database: Database, only: ExchangeFilter, cursor: str | None, limit: int) -> Page[ExchangeRow]:
    """A page of these calls, the newest first. Raises CursorError."""
    query = one_page(
        _filtered(select(exchanges), only), (exchanges.c.at, exchanges.c.id), cursor, limit, descending=True
    )
    with transaction(database) as connection:
        rows = [exchange_of(row) for row in connection.execute(query).mappings()]
    return page_from(rows, lambda row: (row.at, row.id), limit)


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
