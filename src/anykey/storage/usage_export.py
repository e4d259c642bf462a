"""Single calls of a question about usage: the newest of them, or all, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec

from anykey.storage.database import Database
from anykey.storage.errors import DatabaseError, StorageError
from anykey.storage.loss_details import unpack
from anykey.storage.records import ExchangeRow
from anykey.storage.usage_question import UsageQuestion, conditions

PAGE_ROWS = 1000
_FIELDS = ExchangeRow.__struct_fields__
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM exchanges WHERE"  # noqa: S608 - our own names
_LOSSES = msgspec.json.Decoder(tuple[str, ...])


def newest_calls(database: Database, question: UsageQuestion, most: int) -> list[ExchangeRow]:
    """The last `most` calls, newest first. Raises StorageError."""
    values: list[object] = [question.since_ms, question.until_ms]
    chosen = conditions(question, database.dialect, values, calls=True)
    query = f"{_SELECT} at >= ? AND at < ?{chosen} ORDER BY at DESC, id DESC LIMIT ?"
    try:
        with closing(database.connect(read_only=True)) as connection:
            return [_row(row) for row in connection.execute(query, [*values, most])]
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def pages_of_calls(database: Database, question: UsageQuestion, rows: int = PAGE_ROWS) -> Iterator[list[ExchangeRow]]:
    """All calls in the order of their time, `rows` of them at once; each page is read at its own moment, so nothing is held up
    however long the reader takes. Raises StorageError."""
    after = (question.since_ms, "")
    try:
        with closing(database.connect(read_only=True)) as connection:
            while True:
                values: list[object] = [*after, question.until_ms]
                chosen = conditions(question, database.dialect, values, calls=True)
                query = f"{_SELECT} (at, id) > (?, ?) AND at < ?{chosen} ORDER BY at, id LIMIT ?"
                page = [_row(row) for row in connection.execute(query, [*values, rows])]
                if page:
                    yield page
                if len(page) < rows:
                    return
                after = (page[-1].at, page[-1].id)
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def _row(values: tuple[Any, ...]) -> ExchangeRow:
    told: dict[str, Any] = dict(zip(_FIELDS, values, strict=True))
    told["losses"], told["loss_details"] = _LOSSES.decode(told["losses"]), unpack(told["loss_details"])
    told["stream"] = bool(told["stream"])
    return ExchangeRow(**told)
