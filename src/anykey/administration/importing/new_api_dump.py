"""What can be taken out of one-api and new-api: their tables `channels`, `tokens` and `options`, in whatever form they come.

A form is a SQLite file of theirs (opened to read only), a CSV export of a table, or JSON: the answer of `GET /api/channel/`,
`/api/token/` or `/api/option/`, a list of rows, or an object with the tables under their names. What a row is, its columns say.
Source of the columns: model/channel.go, model/token.go and model/option.go of QuantumNous/new-api and songquanpeng/one-api, read
on 2026-11-21.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import msgspec

from anykey.administration.errors import AdministrationError
from anykey.storage.database import Connection
from anykey.storage.errors import DatabaseError
from anykey.storage.sqlite_database import SqliteDatabase

LARGEST_DUMP = 64 * 1024 * 1024
LARGEST_CELL = 16 * 1024 * 1024
TABLES = ("channels", "tokens", "options")
_SQLITE = b"SQLite format 3\0"

Row = Mapping[str, Any]


class Dump(msgspec.Struct):
    """The rows of the three tables, as they were written: from CSV all values are texts. `options` are texts by name."""

    channels: list[Row] = []
    tokens: list[Row] = []
    options: dict[str, str] = {}


def read_dump(files: Iterable[Path]) -> Dump:
    """Read the files together. Raises AdministrationError for one that is none of the forms, or has no row of the tables."""
    dump = Dump([], [], {})
    for file in files:
        before = _size(dump)
        with file.open("rb") as opened:
            start = opened.read(len(_SQLITE))
        if start == _SQLITE:
            _from_sqlite(dump, file)
        else:
            _from_text(dump, file)
        if _size(dump) == before:
            raise AdministrationError("import.no_tables", file=file.name, tables=", ".join(TABLES))
    return dump


def _size(dump: Dump) -> int:
    return len(dump.channels) + len(dump.tokens) + len(dump.options)


def _from_sqlite(dump: Dump, file: Path) -> None:
    try:
        with closing(SqliteDatabase(file).connect(read_only=True)) as connection:
            for table in TABLES:
                _add(dump, _rows(connection, table))
    except DatabaseError as error:
        raise AdministrationError("import.unreadable_dump", file=file.name, reason=error) from None


def _rows(connection: Connection, table: str) -> list[Row]:
    names = [row[0] for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]
    if not names:
        return []
    columns = ", ".join(f'"{name.replace(chr(34), chr(34) * 2)}"' for name in names)
    query = f"SELECT {columns} FROM {table}"  # noqa: S608 - one of TABLES, and its own columns in quotes
    return [dict(zip(names, row, strict=True)) for row in connection.execute(query)]


def _from_text(dump: Dump, file: Path) -> None:
    with file.open("rb") as opened:
        content = opened.read(LARGEST_DUMP + 1)
    if len(content) > LARGEST_DUMP:
        raise AdministrationError("import.too_large", bytes=LARGEST_DUMP)
    try:
        text = content.decode("utf-8-sig")
        if text.lstrip()[:1] in {"{", "["}:
            _from_json(dump, json.loads(text, parse_float=Decimal))
        else:
            csv.field_size_limit(LARGEST_CELL)  # one channel may hold thousands of keys in a cell
            _add(dump, list(csv.DictReader(io.StringIO(text, newline=""))))
    except (ValueError, csv.Error, RecursionError) as error:
        reason = str(error).splitlines()[0] if isinstance(error, json.JSONDecodeError | csv.Error) else "not UTF-8 text"
        raise AdministrationError("import.unreadable_dump", file=file.name, reason=reason) from None


def _from_json(dump: Dump, found: object) -> None:
    """A list of rows, or an object that holds some: directly, under `data`, under `items`, or under the tables' names."""
    if isinstance(found, list):
        _add(dump, [cast("Row", row) for row in cast("list[object]", found) if isinstance(row, dict)])
        return
    if not isinstance(found, dict):
        return
    table = cast("dict[str, object]", found)
    for name in ("data", "items", *TABLES):
        inner = table.get(name)
        if name == "options" and isinstance(inner, dict):
            _add(dump, [{"key": key, "value": value} for key, value in cast("dict[str, object]", inner).items()])
        else:
            _from_json(dump, inner)


def _add(dump: Dump, rows: Iterable[Row]) -> None:
    """Put each row where its columns say that it belongs."""
    for row in rows:
        if "remain_quota" in row:
            dump.tokens.append(row)
        elif "models" in row and "type" in row:
            dump.channels.append(row)
        elif "key" in row and "value" in row:
            dump.options[str(row["key"])] = _text(row["value"])


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
