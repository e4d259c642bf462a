"""The teams as rows. Every function works on a connection of the caller's, in the transaction that it is in."""

import json

import msgspec

from anykey.storage.database import Connection

_COLUMNS = "organisation, name, allowed_models, created_at, closed_at"
_ALL = f"SELECT {_COLUMNS} FROM teams ORDER BY created_at, organisation, name"  # noqa: S608 - our own words
_KEEP = f"""INSERT INTO teams ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (organisation, name) DO UPDATE SET allowed_models = excluded.allowed_models, closed_at = excluded.closed_at"""  # noqa: S608 - our own words


class TeamRow(msgspec.Struct, frozen=True):
    """A part of an organisation (its id), named within it. `allowed_models`: globs; None: what the organisation allows. Times are
    Unix seconds."""

    organisation: str
    name: str
    allowed_models: tuple[str, ...] | None = None
    created_at: int = 0
    closed_at: int | None = None


def read_teams(connection: Connection) -> list[TeamRow]:
    """All of them, oldest first, closed ones too."""
    return [
        TeamRow(row[0], row[1], None if row[2] is None else tuple(json.loads(row[2])), *row[3:])
        for row in connection.execute(_ALL)
    ]


def keep_team(connection: Connection, row: TeamRow) -> None:
    """Write the row, a new one or one that exists."""
    globs = None if row.allowed_models is None else json.dumps(row.allowed_models, ensure_ascii=False)
    connection.execute(_KEEP, (row.organisation, row.name, globs, row.created_at, row.closed_at))
