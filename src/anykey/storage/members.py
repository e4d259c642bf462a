"""The members as rows. Every function works on a connection of the caller's, in the transaction that it is in."""

import msgspec

from anykey.accounts.permissions import MemberRole
from anykey.storage.database import Connection

_COLUMNS = "id, organisation, team, name, email, role, created_at, removed_at"
_ALL = f"SELECT {_COLUMNS} FROM members ORDER BY created_at, id"  # noqa: S608 - our own words
_KEEP = f"""INSERT INTO members ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET team = excluded.team, name = excluded.name, email = excluded.email, role = excluded.role,
removed_at = excluded.removed_at"""  # noqa: S608 - our own words


class MemberRow(msgspec.Struct, frozen=True):
    """Somebody of an organisation (its id). Times are Unix seconds."""

    id: str
    organisation: str
    team: str | None
    name: str
    email: str | None
    role: MemberRole
    created_at: int
    removed_at: int | None = None


def read_members(connection: Connection) -> list[MemberRow]:
    """All of them, oldest first, removed ones too."""
    return [MemberRow(*row) for row in connection.execute(_ALL)]


def keep_member(connection: Connection, row: MemberRow) -> None:
    """Write the row, a new one or one that exists. ConstraintError: somebody of the organisation has the name."""
    connection.execute(_KEEP, msgspec.structs.astuple(row))
