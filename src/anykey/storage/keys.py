"""The issued keys as rows: write one, change one. Every function works on a connection of the caller, in `changing_keys`."""

import json
from collections.abc import Mapping
from typing import Any

from anykey.accounts.keys import ApiKey
from anykey.storage.database import Connection
from anykey.storage.key_reading import COLUMNS, LISTS

_INSERT = f"INSERT INTO api_keys ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - our own words


def insert_key(connection: Connection, key: ApiKey) -> None:
    """Keep a new key. Raises ConstraintError for an id that exists."""
    connection.execute(_INSERT, [_written(name, getattr(key, name)) for name in COLUMNS])


def change_key(connection: Connection, key_id: str, changes: Mapping[str, Any]) -> None:
    """Write these fields of the key (see COLUMNS), and leave the others as they are."""
    names = [name for name in COLUMNS if name in changes]
    if not names:
        return
    words = ", ".join(f"{name} = ?" for name in names)
    values = [_written(name, changes[name]) for name in names]
    connection.execute(f"UPDATE api_keys SET {words} WHERE id = ?", (*values, key_id))  # noqa: S608 - names of COLUMNS


def _written(name: str, value: Any) -> Any:
    """The value as its column has it: lists and tables as JSON."""
    if value is None:
        return None
    if name in LISTS:
        return json.dumps(list(value), ensure_ascii=False)
    return json.dumps(dict(value), ensure_ascii=False) if name == "metadata" else value
