"""Stored gateway configs: each name has versions, counted from 1, that never change. No SQLAlchemy: the server reads them too.

Every change moves the configuration generation, so that a running server reads them again.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Mapping
from contextlib import closing

import msgspec

from anykey.routing.config import ConfigError, parse_config
from anykey.routing.tree import Node
from anykey.storage.changing import changing
from anykey.storage.database import Database
from anykey.storage.errors import StorageError

_log = logging.getLogger(__name__)


class ConfigRow(msgspec.Struct, frozen=True):
    """One version of a config. `body` is its JSON text, members sorted; `created_at` is Unix seconds."""

    name: str
    version: int
    body: str
    created_at: int

    @property
    def reference(self) -> str:
        """`name@version`: what names it exactly."""
        return f"{self.name}@{self.version}"


def put_config(database: Database, name: str, body: str, now: int) -> ConfigRow | None:
    """Keep `body` as the next version of `name`; None where it already is the newest. Raises StorageError."""

    def change(connection: sqlite3.Connection) -> ConfigRow | None:
        newest = _newest(connection, name)
        if newest is not None and newest.body == body:
            return None
        row = ConfigRow(name, 1 if newest is None else newest.version + 1, body, now)
        connection.execute("INSERT INTO configs (name, version, body, created_at) VALUES (?, ?, ?, ?)", _values(row))
        return row

    return changing(database, change)


def delete_config(database: Database, name: str) -> int:
    """Forget all versions of `name`. Returns how many there were. Raises StorageError."""
    return changing(
        database, lambda connection: connection.execute("DELETE FROM configs WHERE name = ?", (name,)).rowcount
    )


def list_configs(database: Database) -> list[ConfigRow]:
    """The newest version of each config, by name. Raises StorageError."""
    newest = "SELECT name, max(version) FROM configs GROUP BY name"
    return _read(database, f"WHERE (name, version) IN ({newest}) ORDER BY name", ())


def find_config(database: Database, name: str, version: int | None = None) -> ConfigRow | None:
    """A config's version, the newest where none is named. Raises StorageError."""
    where = "WHERE name = ? AND (? IS NULL OR version = ?) ORDER BY version DESC LIMIT 1"
    return next(iter(_read(database, where, (name, version, version))), None)


def load_configs(database: Database) -> Mapping[str, Node]:
    """Every stored config for the snapshot, under `name` (its newest version) and under `name@version`.

    None where the database, or its table, is yet to be made. A body that cannot be read here (a newer release wrote it) is left
    out with a warning. Raises StorageError.
    """
    if database.identity() is None:
        return {}
    found: dict[str, Node] = {}
    for row in _read(database, "ORDER BY name, version", ()):
        found.pop(row.name, None)  # an older version is not what the name means
        try:
            node = parse_config(row.body, note=_log.warning)
        except ConfigError as error:
            _log.warning("the stored config %s is not used: %s", row.reference, error)
        else:
            found[row.name] = found[row.reference] = node
    return found


def _newest(connection: sqlite3.Connection, name: str) -> ConfigRow | None:
    query = "SELECT name, version, body, created_at FROM configs WHERE name = ? ORDER BY version DESC LIMIT 1"
    row = connection.execute(query, (name,)).fetchone()
    return None if row is None else ConfigRow(*row)


def _read(database: Database, where: str, values: tuple[object, ...]) -> list[ConfigRow]:
    try:
        with closing(database.connect()) as connection:
            if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'configs'").fetchone() is None:
                return []
            query = f"SELECT name, version, body, created_at FROM configs {where}"  # noqa: S608 - our own words
            return [ConfigRow(*row) for row in connection.execute(query, values)]
    except sqlite3.Error as error:
        raise StorageError("storage.failed", path=database.path, reason=error) from error


def _values(row: ConfigRow) -> tuple[object, ...]:
    return msgspec.structs.astuple(row)
