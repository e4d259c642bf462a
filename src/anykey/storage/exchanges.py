"""Single exchanges: the most recent, those that lost something, one by its id."""

import json
from typing import Any

import msgspec
from sqlalchemy import RowMapping, Select, select

from anykey.storage.database import Database
from anykey.storage.engine import transaction
from anykey.storage.loss_details import unpack
from anykey.storage.records import ExchangeRow
from anykey.storage.schema import exchanges


class UsageFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which exchanges count: from `since_ms` (Unix milliseconds) on, of one key, of one model as it was asked for."""

    since_ms: int = 0
    key_id: str | None = None
    model: str | None = None
    statuses: tuple[int, int] | None = None
    """The HTTP statuses that callers got, first and last."""


def recent_exchanges(database: Database, limit: int, only: UsageFilter) -> list[ExchangeRow]:
    """The last `limit` exchanges, newest first."""
    query = _filtered(select(exchanges), only).order_by(exchanges.c.at.desc()).limit(limit)
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
    query = _filtered(select(exchanges), only).where(exchanges.c.losses != "[]")
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


def _filtered(query: Select[Any], only: UsageFilter) -> Select[Any]:
    query = query.where(exchanges.c.at >= only.since_ms)
    if only.key_id is not None:
        query = query.where(exchanges.c.key_id == only.key_id)
    if only.statuses is not None:
        query = query.where(exchanges.c.status.between(*only.statuses))
    return query if only.model is None else query.where(exchanges.c.model_asked == only.model)


def exchange_of(row: RowMapping) -> ExchangeRow:
    """The row of the table as a value."""
    losses, details = tuple(json.loads(row["losses"])), unpack(row["loss_details"])
    values: dict[str, Any] = {**row, "losses": losses, "loss_details": details}
    return ExchangeRow(**values)
