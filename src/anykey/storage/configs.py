"""Stored gateway configs: each name has versions, counted from 1, that never change. No SQLAlchemy: the server reads them too.

Every change moves the configuration generation, so that a running server reads them again.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing

import msgspec

from anykey.accounts.permissions import LOCAL
from anykey.routing.config import ConfigError, parse_config
from anykey.routing.tree import Node
from anykey.storage.audit import Deed
from anykey.storage.changing import changing
from anykey.storage.database import Connection, Database, has_table
from anykey.storage.errors import DatabaseError, StorageError

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


def put_config(database: Database, name: str, body: str, now: int, author: str = LOCAL.name) -> ConfigRow | None:
    """Keep `body` as the next version of `name`; None where it already is the newest. `author`: who does it. Raises
    StorageError."""

    def change(connection: Connection) -> ConfigRow | None:
        newest = _newest(connection, name)
        if newest is not None and newest.body == body:
            return None
        row = ConfigRow(name, 1 if newest is None else newest.version + 1, body, now)
        connection.execute("INSERT INTO configs (name, version, body, created_at) VALUES (?, ?, ?, ?)", _values(row))
        return row

    def tell(row: ConfigRow | None) -> Deed:
        after = None if row is None else {"version": row.version, "body": row.body}
        return Deed(actor=author, action="configs.put", target_kind="config", target=name, after=after)

    return changing(database, change, tell)


def delete_config(database: Database, name: str, author: str = LOCAL.name) -> int:
    """Forget all versions of `name`. Returns how many there were. `author`: who does it. Raises StorageError."""

    def change(connection: Connection) -> int:
        return connection.execute("DELETE FROM configs WHERE name = ?", (name,)).rowcount

    def tell(count: int) -> Deed:
        gone = {"versions": count}
        return Deed(actor=author, action="configs.delete", target_kind="config", target=name, before=gone)

    return changing(database, change, tell)


def list_configs(database: Database) -> list[ConfigRow]:
    """The newest version of each config, by name. Raises StorageError."""
    newest = "SELECT name, max(version) FROM configs GROUP BY name"
    return _read(database, f"WHERE (name, version) IN ({newest}) ORDER BY name", ())


def find_config(database: Database, name: str, version: int | None = None) -> ConfigRow | None:
    """A config's version, the newest where none is named. Raises StorageError."""
    exactly, values = ("", (name,)) if version is None else (" AND version = ?", (name, version))
    return next(iter(_read(database, f"WHERE name = ?{exactly} ORDER BY version DESC LIMIT 1", values)), None)


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


def _newest(connection: Connection, name: str) -> ConfigRow | None:
    query = "SELECT name, version, body, created_at FROM configs WHERE name = ? ORDER BY version DESC LIMIT 1"
    row = connection.execute(query, (name,)).fetchone()
    return None if row is None else ConfigRow(*row)


def _read(database: Database, where: str, values: tuple[object, ...]) -> list[ConfigRow]:
    try:
        with closing(database.connect()) as connection:
            if not has_table(database, connection, "configs"):
                return []
            query = f"SELECT name, version, body, created_at FROM configs {where}"  # noqa: S608 - our own words
            return [ConfigRow(*row) for row in connection.execute(query, values)]
    except DatabaseError as error:
        raise StorageError("storage.failed", path=database.name, reason=error) from error


def _values(row: ConfigRow) -> tuple[object, ...]:
    return msgspec.structs.astuple(row)
