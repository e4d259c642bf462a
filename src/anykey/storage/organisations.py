"""The organisations as rows. Every function works on a connection of the caller's, in the transaction that it is in."""

import json

import msgspec

from anykey.storage.database import Connection

_COLUMNS = "id, name, prepaid, allowed_models, low_balance_nano, created_at, closed_at"
_ALL = f"SELECT {_COLUMNS} FROM organisations ORDER BY created_at, id"  # noqa: S608 - our own words
_KEEP = f"""INSERT INTO organisations ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, prepaid = excluded.prepaid, allowed_models = excluded.allowed_models,
low_balance_nano = excluded.low_balance_nano, closed_at = excluded.closed_at"""  # noqa: S608 - our own words


class OrganisationRow(msgspec.Struct, frozen=True):
    """Who pays. `prepaid`: its calls need credit. `allowed_models`: globs; None: all. `low_balance_nano`: below that its
    owners are told. Times are Unix seconds."""

    id: str
    name: str
    prepaid: bool = False
    allowed_models: tuple[str, ...] | None = None
    low_balance_nano: int | None = None
    created_at: int = 0
    closed_at: int | None = None


def read_organisations(connection: Connection) -> list[OrganisationRow]:
    """All of them, oldest first, closed ones too."""
    return [
        OrganisationRow(row[0], row[1], bool(row[2]), None if row[3] is None else tuple(json.loads(row[3])), *row[4:])
        for row in connection.execute(_ALL)
    ]


def keep_organisation(connection: Connection, row: OrganisationRow) -> None:
    """Write the row, a new one or one that exists."""
    globs = None if row.allowed_models is None else json.dumps(row.allowed_models, ensure_ascii=False)
    values = (row.id, row.name, row.prepaid, globs, row.low_balance_nano, row.created_at, row.closed_at)
    connection.execute(_KEEP, values)
