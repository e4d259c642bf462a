"""Questions about usage: totals by some property, and the most recent exchanges."""

import json
from typing import Any, Literal

import msgspec
from sqlalchemy import JSON, ColumnElement, RowMapping, Select, case, cast, func, literal, literal_column, select

from anykey.storage.database import Database, Dialect
from anykey.storage.engine import transaction
from anykey.storage.loss_details import unpack
from anykey.storage.records import ExchangeRow
from anykey.storage.schema import exchanges

Grouping = Literal["model", "key", "client", "provider", "group", "scenario", "day"]
BY_METADATA = "metadata."
"""Before the name of a metadata pair: totals by its value."""
_COLUMNS = {"model": "model_asked", "key": "key_id", "group": "group_name"}


class UsageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which exchanges count: from `since_ms` (Unix milliseconds) on, of one key, of one model as it was asked for, marked with
    all pairs of `metadata`."""

    since_ms: int = 0
    key_id: str | None = None
    model: str | None = None
    statuses: tuple[int, int] | None = None
    """The HTTP statuses that callers got, first and last."""
    metadata: tuple[tuple[str, str], ...] = ()


class UsageTotal(msgspec.Struct, frozen=True, kw_only=True):
    """Sums over the exchanges whose property is `group` (a day is `YYYY-MM-DD`, UTC). Buckets as in ExchangeRow."""

    group: str
    exchanges: int
    failures: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    reasoning_tokens: int


def usage_totals(database: Database, by: Grouping | str, only: UsageFilter) -> list[UsageTotal]:
    """One total a group, the busiest first (days in order); `by` may be `metadata.NAME` too. What has no such property is `-`."""
    group = func.coalesce(_group(by, database.dialect), literal("-")).label("group")
    count = func.count().label("exchanges")
    query = select(
        group,
        count,
        func.sum(case((exchanges.c.failure.is_not(None) | (exchanges.c.status >= 400), 1), else_=0)).label("failures"),
        *(func.sum(exchanges.c[name]).label(name) for name in ("input_tokens", "cache_read_tokens")),
        func.sum(exchanges.c.cache_write_5m_tokens + exchanges.c.cache_write_1h_tokens).label("cache_write_tokens"),
        *(func.sum(exchanges.c[name]).label(name) for name in ("output_tokens", "reasoning_tokens")),
    )
    order = (group,) if by == "day" else (count.desc(), group)
    with transaction(database) as connection:
        rows = (
            connection.execute(_filtered(query, only, database.dialect).group_by(group).order_by(*order))
            .mappings()
            .all()
        )
    return [msgspec.convert(dict(row), UsageTotal) for row in rows]


def recent_exchanges(database: Database, limit: int, only: UsageFilter) -> list[ExchangeRow]:
    """The last `limit` exchanges, newest first."""
    query = _filtered(select(exchanges), only, database.dialect).order_by(exchanges.c.at.desc()).limit(limit)
    with transaction(database) as connection:
        return [exchange_of(row) for row in connection.execute(query).mappings()]


def find_exchange(database: Database, request_id: str) -> ExchangeRow | None:
    """The exchange with this id; None where there is none."""
    with transaction(database) as connection:
        row = connection.execute(select(exchanges).where(exchanges.c.id == request_id)).mappings().first()
    return None if row is None else exchange_of(row)


def exchanges_with_losses(
    database: Database, limit: int, only: UsageFilter, request_id: str | None = None
) -> list[ExchangeRow]:
    """The last `limit` exchanges that lost something, newest first; with a `request_id` only that one."""
    query = _filtered(select(exchanges), only, database.dialect).where(exchanges.c.losses != "[]")
    if request_id is not None:
        query = query.where(exchanges.c.id == request_id)
    with transaction(database) as connection:
        return [
            exchange_of(row)
            for row in connection.execute(query.order_by(exchanges.c.at.desc()).limit(limit)).mappings()
        ]


def exchange_exists(database: Database, request_id: str) -> bool:
    """Whether there is an exchange with this id at all."""
    with transaction(database) as connection:
        return connection.execute(select(exchanges.c.id).where(exchanges.c.id == request_id)).first() is not None


def _group(by: str, dialect: Dialect) -> ColumnElement[str | None]:
    if by == "day" and dialect == "sqlite":
        return func.date(exchanges.c.at / literal_column("1000.0"), literal_column("'unixepoch'"))
    if by == "day":
        moment = func.timezone(literal_column("'UTC'"), func.to_timestamp(exchanges.c.at / literal_column("1000.0")))
        return func.to_char(moment, literal_column("'YYYY-MM-DD'"))
    if by.startswith(BY_METADATA):
        return _metadata(by.removeprefix(BY_METADATA), dialect)
    return exchanges.c[_COLUMNS.get(by, by)]


def _metadata(name: str, dialect: Dialect) -> ColumnElement[str | None]:
    """The value of a metadata pair, by its name as it is: a JSON path would read some names as something else."""
    if dialect == "postgresql":
        return cast(exchanges.c.metadata, JSON)[name].as_string()
    pairs = func.json_each(exchanges.c.metadata).table_valued("key", "value")
    return select(pairs.c.value).where(pairs.c.key == name).correlate(exchanges).scalar_subquery()


def _filtered(query: Select[Any], only: UsageFilter, dialect: Dialect) -> Select[Any]:
    query = query.where(exchanges.c.at >= only.since_ms)
    if only.key_id is not None:
        query = query.where(exchanges.c.key_id == only.key_id)
    for name, value in only.metadata:
        query = query.where(_metadata(name, dialect) == value)
    if only.statuses is not None:
        query = query.where(exchanges.c.status.between(*only.statuses))
    return query if only.model is None else query.where(exchanges.c.model_asked == only.model)


def exchange_of(row: RowMapping) -> ExchangeRow:
    """The row of the table as a value."""
    losses, details = tuple(json.loads(row["losses"])), unpack(row["loss_details"])
    values: dict[str, Any] = {**row, "losses": losses, "loss_details": details}
    return ExchangeRow(**values)
